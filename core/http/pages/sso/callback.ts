import type { Router } from '@koa/router'
import { GatehouseError } from '../../../errors.js'
import { notSignedIn, unavailable } from '../../../identity/sso/refusals.js'
import { networkOf } from '../../../domain/network.js'
import { createThrottle } from '../throttle.js'
import { enter } from './enter.js'
import { want } from './faults.js'
import { askToLink } from './link.js'
import type { SsoOptions } from './options.js'

/** Where every provider sends people back. */
export function layOutCallback(router: Router, options: SsoOptions): void {
  const throttle = createThrottle({ points: 120, seconds: 60 })
  router.get('/callback', async (ctx) => {
    await throttle(networkOf(options.addressOf(ctx.req)))
    const { browser, trips, idps, asks, arrivals } = options
    const state = new URLSearchParams(ctx.querystring).get('state') ?? ''
    const { idpId, kept, to } = await trips.end(state, browser.browserId(ctx))
    want(ctx, to)
    const idp = idps().find(({ id, enabled }) => id === idpId && enabled)
    if (idp === undefined) throw new GatehouseError('GH_SSO_UNKNOWN', { detail: 'the provider was removed meanwhile' })
    const callbackUrl = `${options.url()}/auth/sso/callback?${ctx.querystring}`
    const person = await asks.complete(idp, { callbackUrl, state, kept })
    if (!person.ok) throw (person.failure === 'unavailable' ? unavailable : notSignedIn)(idp, person.reason)
    const present = (await browser.session(ctx))?.user.id ?? null
    const arrival = await arrivals.arrive(idp, person, present)
    if (arrival.kind === 'ask') return askToLink(ctx, { idp, person, to, email: arrival.email }, options)
    await enter(ctx, { idp, person, userId: arrival.userId }, options)
    ctx.redirect(to)
  })
}
