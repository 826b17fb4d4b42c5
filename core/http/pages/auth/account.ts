import type { Router } from '@koa/router'
import type { Context } from 'koa'
import type { SignedIn } from '../../../identity/console-sessions.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { partsOfAccount } from './account-parts.js'
import { ACCOUNT, first, newPasswordOf, textOf } from './forms.js'
import type { AuthRoom } from './options.js'
import { OLD_IS_WRONG, problemOfOld, signedInOrSent } from './signed-in.js'
import { thereToo } from './signin.js'
import { seeOther } from '../see-other.js'

const DONE: Readonly<Record<string, string>> = {
  welcome: 'Welcome. Your account is ready.',
  name: 'Your name is saved.',
  password: 'Your password is set. All other sessions have ended.',
  passkey: 'The passkey is saved.',
  removed: 'The passkey is gone.',
  sessions: 'Signed out there.',
}

/** What a person sees and changes of themselves. */
export function layOutAccount(router: Router, room: AuthRoom): void {
  const { browser, sessions, passkeys } = room
  /** A form of somebody who is signed in; null, and the answer is given, for anybody else. */
  const formOf = async (ctx: Context) => {
    const form = await browser.readForm(ctx)
    const signedIn = await signedInOrSent(ctx, browser)
    return signedIn === null ? null : { form, signedIn }
  }
  const done = (ctx: Context, what: string) => seeOther(ctx, `${ACCOUNT}?done=${what}`)

  router.get('/account', async (ctx) => {
    const signedIn = await signedInOrSent(ctx, browser)
    if (signedIn !== null) await show(ctx, room, signedIn)
  })

  router.post('/account/name', async (ctx) => {
    const given = await formOf(ctx)
    if (given === null) return
    const name = textOf(given.form, 'name').slice(0, 100)
    await room.joining.rename(given.signedIn.user, name)
    done(ctx, 'name')
  })

  router.post('/account/password', async (ctx) => {
    const given = await formOf(ctx)
    if (given === null) return
    const problem = await changePassword(ctx, room, given)
    if (problem !== null) return show(ctx, room, given.signedIn, problem)
    done(ctx, 'password')
  })

  router.post('/account/passkeys', async (ctx) => {
    const given = await formOf(ctx)
    if (given === null) return
    const { user } = given.signedIn
    const [id, name] = [given.form.get('passkey') ?? '', textOf(given.form, 'name').slice(0, 60)]
    if (given.form.get('way') !== 'remove') {
      if (name !== '') await passkeys.rename(user.id, id, name)
      return done(ctx, 'passkey')
    }
    if (await isLastWay(room, given.signedIn))
      return show(ctx, room, given.signedIn, 'This is your only way to sign in. Set a password or add a passkey first.')
    await passkeys.remove(user.id, id)
    done(ctx, 'removed')
  })

  router.post('/account/sessions', async (ctx) => {
    const given = await formOf(ctx)
    if (given === null) return
    const { user, sessionHash } = given.signedIn
    const which = given.form.get('session') ?? ''
    if (which === '') await sessions.endOf(user.id, sessionHash)
    else await sessions.endOne(user.id, which)
    done(ctx, 'sessions')
  })
}

/** Null when it is done, else what is wrong. All other sessions end with it. */
async function changePassword(
  ctx: Context,
  room: AuthRoom,
  { form, signedIn }: { readonly form: URLSearchParams; readonly signedIn: SignedIn },
): Promise<string | null> {
  const { user, sessionHash } = signedIn
  const chosen = newPasswordOf(form, user.email)
  if ('problem' in chosen) return chosen.problem
  const problem = await problemOfOld(ctx, room, { form, signedIn })
  if (problem !== null) {
    await room.turnedAway(ctx, OLD_IS_WRONG, 401)
    return problem
  }
  await room.passwords.set(user.id, chosen.password)
  await room.sessions.endOf(user.id, sessionHash)
  return null
}

async function isLastWay({ passkeys, passwords, codes }: AuthRoom, { user, method }: SignedIn): Promise<boolean> {
  if (codes !== null || method === 'sso' || (await passwords.has(user.id))) return false
  return (await passkeys.of(user.id)).length <= 1
}

async function show(ctx: Context, room: AuthRoom, signedIn: SignedIn, problem?: string): Promise<void> {
  const { user } = signedIn
  const note = DONE[first(ctx.query['done']) ?? '']
  showPage(ctx, {
    title: 'Your account',
    status: problem === undefined ? 200 : 400,
    body: html`<h1>Your account</h1>
      <p>${user.email} <span class="hint">· ${user.role}</span></p>
      ${problem !== undefined && html`<p class="error" role="alert">${problem}</p>`}
      ${problem === undefined && note !== undefined && html`<p class="note ok" role="status">${note}</p>`}
      ${await partsOfAccount(ctx, room, signedIn)}
      <hr />
      <form method="post" action="/auth/signout">
        ${room.browser.formField(ctx)}
        <button>Sign out</button>
        ${signedIn.idp !== null && thereToo}
      </form>`,
  })
}
