import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { GatehouseError } from '../../../errors.js'
import { ownPath } from '../browser.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { createThrottle } from '../throttle.js'
import type { AuthOptions } from './options.js'

export const ACCOUNT = '/auth/account'
const FAILED = 'The e-mail address or the password is not right. After several failures an account rests for a while.'

interface Shown {
  readonly to: string
  readonly email?: string
  readonly problem?: string
}

/** Signing in with what this gateway itself knows of a person, and the doors to other ways. */
export function layOutSignIn(router: Router, options: AuthOptions): void {
  const { browser } = options
  const throttle = createThrottle({ points: 60, seconds: 300 })

  router.get('/signin', async (ctx) => {
    const to = ownPath(first(ctx.query['to']), ACCOUNT)
    if ((await browser.session(ctx)) !== null) return ctx.redirect(to)
    await show(ctx, options, { to })
  })

  router.post('/signin', async (ctx) => {
    const form = await browser.readForm(ctx)
    const to = ownPath(form.get('to'), ACCOUNT)
    const email = (form.get('email') ?? '').trim().toLowerCase().slice(0, 254)
    const elsewhere = await options.ways.byEmail(email)
    if (elsewhere !== null && (elsewhere.required || !form.get('password')))
      return seeOther(ctx, withTo(elsewhere.url, to))
    await throttle(options.addressOf(ctx.req))
    const checked = await options.passwords.check(email, form.get('password') ?? '')
    if (checked.ok) {
      await browser.signIn(ctx, checked.userId, { method: 'password' })
      return seeOther(ctx, to)
    }
    if (checked.disabled) throw new GatehouseError('GH_PAGE_DISABLED', { detail: checked.reason })
    await options.turnedAway(ctx, checked.reason, 401)
    ctx.status = 401
    await show(ctx, options, { to, email, problem: FAILED })
  })

  router.get('/signout', async (ctx) => {
    if ((await browser.session(ctx)) === null) return ctx.redirect('/auth/signin')
    showPage(ctx, {
      title: 'Sign out',
      body: html`<h1>Sign out?</h1>
        <form method="post" action="/auth/signout">
          ${browser.formField(ctx)}
          <button class="main">Sign out</button>
        </form>`,
    })
  })

  router.post('/signout', async (ctx) => {
    await browser.readForm(ctx)
    await browser.signOut(ctx)
    seeOther(ctx, '/auth/signin')
  })
}

async function show(ctx: Context, { browser, ways }: AuthOptions, { to, email = '', problem }: Shown): Promise<void> {
  const buttons = await ways.buttons()
  showPage(ctx, {
    title: 'Sign in',
    status: problem === undefined ? 200 : 401,
    body: html`<h1>Sign in</h1>
      ${problem !== undefined && html`<p class="error" role="alert">${problem}</p>`}
      <form method="post" action="/auth/signin">
        ${browser.formField(ctx)}
        <input type="hidden" name="to" value="${to}" />
        <label for="email">E-mail address</label>
        <input type="email" id="email" name="email" value="${email}" autocomplete="username" required autofocus />
        <label for="password">Password</label>
        <input type="password" id="password" name="password" autocomplete="current-password" />
        <button class="main">Sign in</button>
      </form>
      ${
        buttons.length > 0 &&
        html`<hr />
          ${buttons.map(({ title, url }) => html`<a class="button" href="${withTo(url, to)}">${title}</a>`)}`
      }`,
  })
}

/** After a form: the browser fetches the next page anew. */
export function seeOther(ctx: Context, to: string): void {
  ctx.status = 303
  ctx.redirect(to)
}

const withTo = (url: string, to: string): string => `${url}${url.includes('?') ? '&' : '?'}to=${encodeURIComponent(to)}`

export const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0]
