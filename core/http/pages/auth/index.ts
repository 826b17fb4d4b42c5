import { Router } from '@koa/router'
import type { Middleware } from 'koa'
import { layOutAccount } from './account.js'
import type { AuthOptions } from './options.js'
import { layOutSignIn } from './signin.js'

/** The pages under `/auth`: signing in and out, and one's own account. */
export function createAuthPages(options: AuthOptions): Middleware {
  const router = new Router({ prefix: '/auth' })
  layOutSignIn(router, options)
  layOutAccount(router, options)
  return router.routes() as Middleware
}
