import type { Router } from '@koa/router'
import type { Context } from 'koa'
import type { IdpEnded } from '@gatehouse/sdk'
import { hashSecret } from '../../../identity/tokens.js'
import { readBody } from '../../body.js'
import { networkOf } from '../../../domain/network.js'
import { createThrottle } from '../throttle.js'
import type { SsoOptions } from './options.js'

const MOST_BYTES = 32 * 1024
type Ended = Extract<IdpEnded, { kind: 'ended' }>

/** Providers tell that a session there has ended (OpenID Connect Back-Channel Logout 1.0): ours end with it, everywhere. */
export function layOutBackchannel(router: Router, options: SsoOptions): void {
  const throttle = createThrottle({ points: 300, seconds: 60 })
  router.post('/backchannel', async (ctx) => {
    ctx.set('cache-control', 'no-store')
    await throttle(networkOf(options.addressOf(ctx.req)))
    const token = await tokenOf(ctx)
    if (token === null) return refuse(ctx, 'there is no logout_token', options)
    const said = await whoEnded(token, options)
    if (said.kind !== 'ended')
      return refuse(ctx, said.kind === 'refused' ? said.reason : 'no provider is meant', options)
    const seen = hashSecret(`${said.issuer} ${said.id}`)
    if (!(await options.oneTime.first('sso_logout', seen, said.expiresAt)))
      return refuse(ctx, 'the logout token was used before', options)
    await end(said, options)
    ctx.status = 200
    ctx.body = ''
  })
}

async function whoEnded(token: string, { idps, asks }: SsoOptions): Promise<IdpEnded> {
  for (const idp of idps().filter(({ enabled }) => enabled)) {
    const said = await asks.notice(idp, token)
    if (said.kind !== 'notMine') return said
  }
  return { kind: 'notMine' }
}

async function end({ issuer, subject, session }: Ended, { sessions, links, tokens }: SsoOptions): Promise<void> {
  if (session !== null) await sessions.endOfIdp(issuer, { session })
  else if (subject !== null) await sessions.endOfIdp(issuer, { subject })
  const link = subject === null ? null : await links.find(issuer, subject)
  if (link !== null) await tokens.forget(link.userId)
}

async function tokenOf(ctx: Context): Promise<string | null> {
  if (!ctx.is('application/x-www-form-urlencoded')) return null
  return new URLSearchParams((await readBody(ctx.req, MOST_BYTES)).toString('utf8')).get('logout_token')
}

/** Section 2.8. What exactly was wrong is for the record. */
async function refuse(ctx: Context, reason: string, { turnedAway }: SsoOptions): Promise<void> {
  await turnedAway(ctx, `logout token: ${reason}`, 400)
  ctx.status = 400
  ctx.body = { error: 'invalid_request', error_description: 'The logout token is not valid here.' }
}
