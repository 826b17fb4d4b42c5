import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { GatehouseError } from '../../../errors.js'
import { ownPath } from '../browser.js'
import { html, type Html } from '../html.js'
import { showPage } from '../page.js'
import { ACCOUNT, first, OLD_PASSWORD, textOf, withTo } from './forms.js'
import type { AuthRoom } from './options.js'
import { PASSKEY_SCRIPT, servePasskeyScript } from './passkey-script.js'
import { needsOldPassword, OLD_IS_WRONG, problemOfOld, signedInOrSent } from './signed-in.js'
import { seeOther } from '../see-other.js'

/** Signing in with a passkey, and making a new one. */
export function layOutPasskeys(router: Router, room: AuthRoom): void {
  const { browser, passkeys } = room
  router.get('/passkey.js', servePasskeyScript)

  router.get('/passkey', async (ctx) => {
    mustBePossible(room)
    await room.slowDown(ctx)
    const to = ownPath(first(ctx.query['to']), ACCOUNT)
    const options = await passkeys.beginSignIn(browser.browserId(ctx))
    const fields = html`<input type="hidden" name="to" value="${to}" />`
    show(ctx, room, {
      title: 'Sign in with a passkey',
      form: { kind: 'use', action: '/auth/passkey', options, fields, button: 'Use a passkey' },
      back: withTo('/auth/signin', to),
    })
  })

  router.post('/passkey', async (ctx) => {
    const form = await browser.readForm(ctx)
    mustBePossible(room)
    await room.slowDown(ctx)
    const checked = await passkeys.signIn(browser.browserId(ctx), form.get('response') ?? '')
    if (!checked.ok)
      throw new GatehouseError('GH_PAGE_REFUSED', {
        message: 'This passkey does not open anything here. Sign in another way.',
        detail: checked.reason,
      })
    await room.welcome(ctx, { userId: checked.userId, method: 'passkey', to: ownPath(form.get('to'), ACCOUNT) })
  })

  router.get('/passkeys/new', async (ctx) => {
    mustBePossible(room)
    const signedIn = await signedInOrSent(ctx, browser)
    if (signedIn === null) return
    const options = await passkeys.beginNew(signedIn.user, signedIn.sessionHash)
    const fields = html`<label for="name">What to call it</label>
      <input type="text" id="name" name="name" value="My passkey" maxlength="60" required />
      ${(await needsOldPassword(room, signedIn)) && OLD_PASSWORD}`
    show(ctx, room, {
      title: 'Add a passkey',
      form: { kind: 'new', action: '/auth/passkeys/new', options, fields, button: 'Add a passkey' },
      back: ACCOUNT,
    })
  })

  router.post('/passkeys/new', async (ctx) => {
    const form = await browser.readForm(ctx)
    mustBePossible(room)
    const signedIn = await signedInOrSent(ctx, browser)
    if (signedIn === null) return
    const problem = await problemOfOld(ctx, room, { form, signedIn })
    if (problem !== null) throw new GatehouseError('GH_PAGE_REFUSED', { message: problem, detail: OLD_IS_WRONG })
    const made = { response: form.get('response') ?? '', name: textOf(form, 'name').slice(0, 60) || 'Passkey' }
    const refusal = await passkeys.keepNew(signedIn.user, signedIn.sessionHash, made)
    if (refusal !== null)
      throw new GatehouseError('GH_PAGE_REFUSED', {
        message: 'The passkey could not be added. Open the page again and try once more.',
        detail: refusal,
      })
    seeOther(ctx, `${ACCOUNT}?done=passkey`)
  })
}

function mustBePossible({ passkeys }: AuthRoom): void {
  if (!passkeys.isPossible())
    throw new GatehouseError('GH_API_NOT_FOUND', {
      message: 'Passkeys need https and a host name: GATEHOUSE_URL of this gateway has not both.',
    })
}

interface Shown {
  readonly title: string
  readonly form: { kind: 'use' | 'new'; action: string; options: object; fields: Html; button: string }
  readonly back: string
}

function show(ctx: Context, { browser }: AuthRoom, { title, form, back }: Shown): void {
  showPage(ctx, {
    title,
    script: PASSKEY_SCRIPT,
    body: html`<h1>${title}</h1>
      <p>Your device asks for your finger, your face or its PIN.</p>
      <noscript><p class="note">Passkeys need JavaScript, which is off in this browser.</p></noscript>
      <p class="error" role="alert" data-said hidden></p>
      <form
        method="post"
        action="${form.action}"
        data-passkey="${form.kind}"
        data-options="${JSON.stringify(form.options)}"
      >
        ${browser.formField(ctx)}
        <input type="hidden" name="response" value="" />
        ${form.fields}
        <button class="main">${form.button}</button> <a class="button" href="${back}">Back</a>
      </form>`,
  })
}
