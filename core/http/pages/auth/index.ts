import { Router } from '@koa/router'
import type { Context, Middleware } from 'koa'
import { networkOf } from '../../../domain/network.js'
import { createThrottle } from '../throttle.js'
import { layOutAccount } from './account.js'
import { layOutCode } from './code.js'
import { layOutInvite } from './invite.js'
import type { AuthOptions, AuthRoom } from './options.js'
import { layOutPasskeys } from './passkey.js'
import { layOutSetup } from './setup.js'
import { layOutSignIn } from './signin.js'
import { seeOther } from '../see-other.js'

const TRIES = { points: 60, seconds: 300 }

/** The pages under `/auth`: coming in, signing in and out, and one's own account. */
export function createAuthPages(options: AuthOptions): Middleware {
  const throttle = createThrottle(TRIES)
  const keyOf = (ctx: Context) => networkOf(options.addressOf(ctx.req))
  const room: AuthRoom = {
    ...options,
    slowDown: (ctx) => throttle(keyOf(ctx)),
    async endWays(userId) {
      await options.passwords.remove(userId)
      await options.passkeys.removeOf(userId)
      await options.sessions.endOf(userId)
    },
    async welcome(ctx, { userId, method, to }) {
      await options.browser.signIn(ctx, userId, { method })
      await throttle.forgive(keyOf(ctx))
      seeOther(ctx, to)
    },
  }
  const router = new Router({ prefix: '/auth' })
  for (const layOut of [layOutSignIn, layOutCode, layOutPasskeys, layOutSetup, layOutInvite, layOutAccount])
    layOut(router, room)
  return router.routes() as Middleware
}
