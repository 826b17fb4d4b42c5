import type { Context } from 'koa'
import type { OpenSession, SignedIn } from '../../../identity/console-sessions.js'
import { html, type Html } from '../html.js'
import { nameField, newPasswordFields, OLD_PASSWORD } from './forms.js'
import type { AuthRoom } from './options.js'
import { needsOldPassword } from './signed-in.js'

const METHODS: Readonly<Record<OpenSession['method'], string>> = {
  setup: 'set-up link',
  invite: 'invitation',
  password: 'password',
  passkey: 'passkey',
  code: 'e-mailed code',
  sso: 'single sign-on',
}

/** The parts of a person's own page, in their order. What others add (identities, connections) is another part here. */
export async function partsOfAccount(ctx: Context, room: AuthRoom, signedIn: SignedIn): Promise<readonly Html[]> {
  return [
    namePart(ctx, room, signedIn),
    await passwordPart(ctx, room, signedIn),
    ...(room.passkeys.isPossible() ? [await passkeysPart(ctx, room, signedIn)] : []),
    await sessionsPart(ctx, room, signedIn),
  ]
}

const namePart = (ctx: Context, { browser }: AuthRoom, { user }: SignedIn): Html =>
  html`<form method="post" action="/auth/account/name">
    ${browser.formField(ctx)} ${nameField(user.name)}
    <button>Save name</button>
  </form>`

async function passwordPart(ctx: Context, room: AuthRoom, signedIn: SignedIn): Promise<Html> {
  const has = await room.passwords.has(signedIn.user.id)
  return html`<h2>Password</h2>
    ${!has && html`<p class="hint">You have none.</p>`}
    <details>
      <summary>${has ? 'Change the password' : 'Set a password'}</summary>
      <form method="post" action="/auth/account/password">
        ${room.browser.formField(ctx)}
        <input type="hidden" name="username" value="${signedIn.user.email}" autocomplete="username" />
        ${(await needsOldPassword(room, signedIn)) && OLD_PASSWORD} ${newPasswordFields('New password')}
        <button>Save password</button>
        <p class="hint">All your other sessions end with it.</p>
      </form>
    </details>`
}

async function passkeysPart(ctx: Context, { browser, passkeys }: AuthRoom, { user }: SignedIn): Promise<Html> {
  const mine = await passkeys.of(user.id)
  return html`<h2>Passkeys</h2>
    ${mine.length === 0 && html`<p class="hint">You have none.</p>`}
    <ul class="rows">
      ${mine.map(
        (key) =>
          html`<li>
            <form method="post" action="/auth/account/passkeys" class="line">
              ${browser.formField(ctx)}
              <input type="hidden" name="passkey" value="${key.id}" />
              <input type="text" name="name" value="${key.name}" maxlength="60" aria-label="Name of the passkey" />
              <button name="way" value="rename">Rename</button>
              <button name="way" value="remove">Remove</button>
            </form>
            <small
              >made ${when(key.createdAt)},
              ${key.lastUsedAt === null ? 'never used' : html`last used ${when(key.lastUsedAt)}`}</small
            >
          </li>`,
      )}
    </ul>
    <a class="button" href="/auth/passkeys/new">Add a passkey</a>`
}

async function sessionsPart(ctx: Context, { browser, sessions }: AuthRoom, signedIn: SignedIn): Promise<Html> {
  const open = await sessions.list(signedIn.user.id)
  const row = ({ idHash, method, createdAt, seenAt }: OpenSession) =>
    html`<li>
      <form method="post" action="/auth/account/sessions" class="line">
        ${browser.formField(ctx)}
        <input type="hidden" name="session" value="${idHash}" />
        <span>By ${METHODS[method]}<br /><small>since ${when(createdAt)}, last seen ${when(seenAt)}</small></span>
        ${idHash === signedIn.sessionHash ? html`<span class="ok">this browser</span>` : html`<button>Sign out</button>`}
      </form>
    </li>`
  return html`<h2>Where you are signed in</h2>
    <ul class="rows">
      ${open.map(row)}
    </ul>
    ${
      open.length > 1 &&
      html`<form method="post" action="/auth/account/sessions">
        ${browser.formField(ctx)}<button>Sign out everywhere else</button>
      </form>`
    }`
}

const when = (at: number): Html => {
  const text = new Date(at).toISOString()
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`
}
