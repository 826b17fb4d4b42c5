import type { Context, Middleware } from 'koa'
import { GatehouseError } from '../../../errors.js'
import { ownPath } from '../browser.js'
import { html } from '../html.js'
import { showPage } from '../page.js'
import type { TurnedAway } from '../turned-away.js'

const OURS = ['GH_SSO_REFUSED', 'GH_SSO_UNAVAILABLE', 'GH_SSO_UNKNOWN', 'GH_PAGE_GONE']

/** A sign-in elsewhere that failed: why, and the way to the other ways, which still lead where the person wanted to go. */
export function createSsoFaults(turnedAway: TurnedAway): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (thrown) {
      if (!(thrown instanceof GatehouseError) || !OURS.includes(thrown.code)) throw thrown
      await turnedAway(ctx, thrown.detail ?? thrown.message, thrown.entry.http)
      const signIn = `/auth/signin?to=${encodeURIComponent(wanted(ctx))}`
      showPage(ctx, {
        status: thrown.entry.http,
        title: 'You are not signed in',
        body: html`<h1>You are not signed in</h1>
          <p class="error" role="alert">${thrown.message}</p>
          <p><a class="button" href="${signIn}">Back to the sign-in page</a></p>
          <p class="hint">Code: <code>${thrown.code}</code></p>`,
      })
    }
  }
}

/** Where the person wants to go in the end: told at the start, and known again once the trip was found. */
export const want = (ctx: Context, to: string): void => void (ctx.state['ssoTo'] = to)
const wanted = (ctx: Context): string => ownPath(ctx.state['ssoTo'] as string | undefined, HOME)

export const HOME = '/auth/account'
