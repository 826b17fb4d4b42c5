import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { GatehouseError } from '../../../errors.js'
import { ownPath } from '../browser.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { ACCOUNT, first, problemNote, textOf, withTo } from './forms.js'
import type { AuthRoom } from './options.js'
import { seeOther } from '../see-other.js'

const FAILED = 'The e-mail address or the password is not right. After several failures an account rests for a while.'

interface Shown {
  readonly to: string
  readonly email?: string
  readonly problem?: string
}

/** Signing in with what this gateway itself knows of a person, and the doors to other ways. */
export function layOutSignIn(router: Router, room: AuthRoom): void {
  const { browser } = room

  router.get('/signin', async (ctx) => {
    const to = ownPath(first(ctx.query['to']), ACCOUNT)
    if ((await browser.session(ctx)) !== null) return ctx.redirect(to)
    await show(ctx, room, { to })
  })

  router.post('/signin', async (ctx) => {
    const form = await browser.readForm(ctx)
    const to = ownPath(form.get('to'), ACCOUNT)
    const email = textOf(form, 'email').toLowerCase()
    const password = form.get('password') ?? ''
    await room.slowDown(ctx)
    const elsewhere = await room.ways.byEmail(email)
    const isLeftOpen = password === '' && form.get('way') !== 'code'
    if (elsewhere !== null && (elsewhere.required || isLeftOpen)) return seeOther(ctx, withTo(elsewhere.url, to))
    if (room.codes !== null && (form.get('way') === 'code' || password === '')) {
      await room.codes.send(email, browser.browserId(ctx))
      return seeOther(ctx, withTo('/auth/code', to))
    }
    const checked = await room.passwords.check(email, password)
    if (checked.ok) return room.welcome(ctx, { userId: checked.userId, method: 'password', to })
    // Whoever knows the password may be told.
    if (checked.disabled) throw new GatehouseError('GH_PAGE_DISABLED', { detail: checked.reason })
    await room.turnedAway(ctx, checked.reason, 401)
    await show(ctx, room, { to, email, problem: FAILED })
  })

  router.get('/signout', async (ctx) => {
    const signedIn = await browser.session(ctx)
    if (signedIn === null) return ctx.redirect('/auth/signin')
    showPage(ctx, {
      title: 'Sign out',
      body: html`<h1>Sign out?</h1>
        <form method="post" action="/auth/signout">
          ${browser.formField(ctx)}
          <button class="main">Sign out</button> <a class="button" href="${ACCOUNT}">Stay</a>
          ${signedIn.idp !== null && thereToo}
        </form>`,
    })
  })

  router.post('/signout', async (ctx) => {
    await browser.readForm(ctx)
    await browser.signOut(ctx)
    seeOther(ctx, '/auth/signin')
  })
}

/** For a session that rests on one. */
export const thereToo = html`<button formaction="/auth/sso/signout">Sign out of your identity provider, too</button>`

async function show(ctx: Context, room: AuthRoom, { to, email = '', problem }: Shown): Promise<void> {
  const { browser, ways, codes, passkeys } = room
  const others = [
    ...(await ways.buttons()),
    ...(passkeys.isPossible() ? [{ title: 'Use a passkey', url: '/auth/passkey' }] : []),
  ]
  showPage(ctx, {
    title: 'Sign in',
    status: problem === undefined ? 200 : 401,
    body: html`<h1>Sign in</h1>
      ${problemNote(problem)}
      <form method="post" action="/auth/signin">
        ${browser.formField(ctx)}
        <input type="hidden" name="to" value="${to}" />
        <label for="email">E-mail address</label>
        <input type="email" id="email" name="email" value="${email}" autocomplete="username" required autofocus />
        <label for="password">Password</label>
        <input type="password" id="password" name="password" autocomplete="current-password" />
        <button class="main">Sign in</button>
        ${codes !== null && html`<button name="way" value="code">E-mail me a code</button>`}
      </form>
      ${
        others.length > 0 &&
        html`<hr />
          <p class="ways">
            ${others.map(({ title, url }) => html`<a class="button" href="${withTo(url, to)}">${title}</a>`)}
          </p>`
      }`,
  })
}
