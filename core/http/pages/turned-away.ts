import type { Context } from 'koa'
import type { Refused } from '../../record/refusals.js'

/** Writes down that a page turned somebody away: why, and never what they tried it with. */
export type TurnedAway = (ctx: Context, reason: string, httpStatus: number) => Promise<void>

export function createTurnedAway(refused: Refused, addressOf: (req: Context['req']) => string): TurnedAway {
  return (ctx, reason, httpStatus) =>
    refused({
      method: placeOf(ctx.path),
      reason,
      httpStatus,
      ip: addressOf(ctx.req),
      userAgent: ctx.get('user-agent') || null,
    })
}

/** `auth/setup` of `/auth/setup/<secret>`: what comes behind may be a secret. */
const placeOf = (path: string): string => path.split('/').slice(1, 3).join('/')
