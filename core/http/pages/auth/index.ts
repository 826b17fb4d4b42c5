import { Router } from '@koa/router'
import type { Middleware } from 'koa'
import { createThrottle } from '../throttle.js'
import { layOutAccount } from './account.js'
import { layOutCode } from './code.js'
import { layOutInvite } from './invite.js'
import type { AuthOptions, AuthRoom } from './options.js'
import { layOutPasskeys } from './passkey.js'
import { layOutSetup } from './setup.js'
import { layOutSignIn } from './signin.js'

const TRIES = { points: 60, seconds: 300 }

/** The pages under `/auth`: coming in, signing in and out, and one's own account. */
export function createAuthPages(options: AuthOptions): Middleware {
  const throttle = createThrottle(TRIES)
  const room: AuthRoom = { ...options, slowDown: (ctx) => throttle(options.addressOf(ctx.req)) }
  const router = new Router({ prefix: '/auth' })
  for (const layOut of [layOutSignIn, layOutCode, layOutPasskeys, layOutSetup, layOutInvite, layOutAccount])
    layOut(router, room)
  return router.routes() as Middleware
}
