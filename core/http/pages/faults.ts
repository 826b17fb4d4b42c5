import type { Middleware } from 'koa'
import { asGatehouseError, retryAfter } from '../../errors.js'
import { html } from './html.js'
import { showPage } from './page.js'
import type { TurnedAway } from './turned-away.js'

const PAGES = /^\/(?:oauth\/interaction|oauth\/upstream|connect|auth)(?:\/|$)/

/** Statuses that say no to whoever asks, and so go on record. */
const REFUSALS = [401, 403, 410, 429]

/** What a page of ours throws is shown as a page: what happened, and what to do next. Refusals go on record. */
export function createPageFaults(onBroken: (thrown: unknown) => void, turnedAway: TurnedAway): Middleware {
  return async (ctx, next) => {
    if (!PAGES.test(ctx.path)) return next()
    try {
      await next()
    } catch (thrown) {
      const error = asGatehouseError(thrown)
      if (error.code === 'GH_INTERNAL') onBroken(thrown)
      const { http } = error.entry
      if (REFUSALS.includes(http)) await turnedAway(ctx, error.detail ?? error.message, http)
      ctx.set(retryAfter(error))
      showPage(ctx, {
        // What travels inside JSON-RPC answers with 200 is a failure here.
        status: http === 200 ? 400 : http,
        title: 'That did not work',
        body: html`<h1>That did not work</h1>
          <p class="error" role="alert">${error.message}</p>
          ${whatNext(ctx.path)}
          <p class="hint">Code: <code>${error.code}</code></p>`,
      })
    }
  }
}

const whatNext = (path: string) =>
  path.startsWith('/auth/')
    ? html`<p><a class="button" href="/auth/account">Go to your account</a></p>`
    : html`<p>Go back and try again, or start again in your AI client.</p>`
