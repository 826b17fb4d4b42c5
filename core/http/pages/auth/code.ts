import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { GatehouseError } from '../../../errors.js'
import { ownPath } from '../browser.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import { ACCOUNT, first, problemNote, textOf, withTo } from './forms.js'
import type { AuthRoom } from './options.js'

/** Signing in with a code that was sent by mail. */
export function layOutCode(router: Router, room: AuthRoom): void {
  const { browser, codes } = room
  if (codes === null) return

  router.get('/code', async (ctx) => {
    const to = ownPath(first(ctx.query['to']), ACCOUNT)
    const email = await codes.waiting(browser.browserId(ctx))
    if (email === null) return ctx.redirect(withTo('/auth/signin', to))
    show(ctx, room, { to, email })
  })

  router.post('/code', async (ctx) => {
    const form = await browser.readForm(ctx)
    const to = ownPath(form.get('to'), ACCOUNT)
    await room.slowDown(ctx)
    const id = browser.browserId(ctx)
    const email = await codes.waiting(id)
    const checked = await codes.check(id, textOf(form, 'code').replaceAll(/\s/g, ''))
    if (checked.ok) return room.welcome(ctx, { userId: checked.userId, method: 'code', to })
    if (!checked.again || email === null)
      throw new GatehouseError('GH_PAGE_GONE', {
        message: 'This code is no longer good. Sign in again to get a new one.',
        detail: checked.reason,
      })
    await room.turnedAway(ctx, checked.reason, 401)
    show(ctx, room, { to, email, problem: 'That is not the code. Look for the newest mail.' })
  })
}

function show(ctx: Context, { browser }: AuthRoom, shown: { to: string; email: string; problem?: string }): void {
  const { to, email, problem } = shown
  showPage(ctx, {
    title: 'Your code',
    status: problem === undefined ? 200 : 401,
    body: html`<h1>Look into your mail</h1>
      <p>If <b>${email}</b> has an account here, a code of six digits is on its way. It is good for ten minutes.</p>
      ${problemNote(problem)}
      <form method="post" action="/auth/code">
        ${browser.formField(ctx)}
        <input type="hidden" name="to" value="${to}" />
        <label for="code">Code</label>
        <input
          type="text"
          id="code"
          name="code"
          inputmode="numeric"
          autocomplete="one-time-code"
          maxlength="12"
          required
          autofocus
        />
        <button class="main">Sign in</button>
        <a class="button" href="${withTo('/auth/signin', to)}">Back</a>
      </form>`,
  })
}
