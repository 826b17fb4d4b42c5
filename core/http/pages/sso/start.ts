import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { GatehouseError } from '../../../errors.js'
import type { Idp } from '../../../domain/nouns.js'
import { domainOf } from '../../../identity/sso/arrivals.js'
import { notSignedIn, unavailable } from '../../../identity/sso/refusals.js'
import { readBody } from '../../body.js'
import { networkOf } from '../../../domain/network.js'
import { ownPath } from '../browser.js'
import { createThrottle } from '../throttle.js'
import { HOME, want } from './faults.js'
import type { SsoOptions } from './options.js'
import { seeOther } from '../see-other.js'

const MOST_BYTES = 16 * 1024
/** The parameters that count; a POST carries them in its query or its body (OpenID Connect Core section 4). */
const PARAMETERS = ['idp', 'to', 'email', 'login_hint', 'iss', 'target_link_uri'] as const
type Parameters = Partial<Record<(typeof PARAMETERS)[number], string>>

/** Sends a person to a provider: by a button, by the domain of an address, or by the tile on the provider's dashboard. */
export function layOutStart(router: Router, options: SsoOptions): void {
  const throttle = createThrottle({ points: 120, seconds: 60 })
  router.get('/start', async (ctx) => {
    const given = parametersOf(new URLSearchParams(ctx.querystring))
    const to = ownPath(given.to ?? withoutOrigin(given.target_link_uri, options.url()), HOME)
    want(ctx, to)
    await throttle(networkOf(options.addressOf(ctx.req)))
    const idp = await chosen(given, options)
    const hint = (given.login_hint ?? given.email ?? '').slice(0, 320)
    ctx.redirect(await begin(ctx, { idp, to, loginHint: hint === '' ? null : hint }, options))
  })
  // As a GET it is a navigation of the top page, with which the browser sends its cookies.
  router.post('/start', async (ctx) => {
    const form = ctx.is('application/x-www-form-urlencoded') ? await readBody(ctx.req, MOST_BYTES) : ''
    const both = new URLSearchParams([ctx.querystring, form.toString()].filter(Boolean).join('&'))
    seeOther(ctx, `/auth/sso/start?${new URLSearchParams(parametersOf(both))}`)
  })
}

async function begin(
  ctx: Context,
  { idp, to, loginHint }: { idp: Idp; to: string; loginHint: string | null },
  { asks, trips, browser, url }: SsoOptions,
): Promise<string> {
  const state = trips.newState()
  const begun = await asks.begin(idp, { redirectUri: `${url()}/auth/sso/callback`, state, loginHint })
  if (!begun.ok) throw (begun.failure === 'unavailable' ? unavailable : notSignedIn)(idp, begun.reason)
  await trips.begin(state, browser.browserId(ctx), { idpId: idp.id, kept: begun.kept, to })
  return begun.url
}

async function chosen(given: Parameters, { idps, asks }: SsoOptions): Promise<Idp> {
  const open = idps().filter(({ enabled }) => enabled)
  const { idp: name, email, iss } = given
  const named = name === undefined ? undefined : open.find(({ id, slug }) => id === name || slug === name)
  const found = named ?? (name === undefined && email !== undefined ? byDomain(open, email) : undefined)
  if (found !== undefined && (iss === undefined || (await isIssuer(found, iss, asks)))) return found
  // Third-party initiated login names the issuer alone, unless the address that was pasted there names us.
  if (found === undefined && name === undefined && iss !== undefined)
    for (const idp of open) if (await isIssuer(idp, iss, asks)) return idp
  throw new GatehouseError('GH_SSO_UNKNOWN', { detail: 'no enabled identity provider is meant' })
}

const byDomain = (open: readonly Idp[], email: string): Idp | undefined => {
  const domain = domainOf(email.trim().toLowerCase())
  return open.find(({ domains }) => domain !== '' && domains.includes(domain))
}

/** Some providers have one issuer for all, which then does not stand in the configuration. */
async function isIssuer(idp: Idp, issuer: string, asks: SsoOptions['asks']): Promise<boolean> {
  const { issuer: written } = idp.config
  if (typeof written === 'string') return written === issuer
  const said = await asks.describe(idp)
  return said.ok && said.issuer === issuer
}

function parametersOf(query: URLSearchParams): Parameters {
  return Object.fromEntries(
    PARAMETERS.flatMap((name) => {
      const value = query.get(name)
      return value === null || value === '' || value.length > 2_048 ? [] : [[name, value]]
    }),
  )
}

const withoutOrigin = (target: string | undefined, own: string): string | undefined =>
  target?.startsWith(`${own}/`) ? target.slice(own.length) : undefined
