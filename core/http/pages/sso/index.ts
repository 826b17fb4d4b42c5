import { Router } from '@koa/router'
import type { Middleware } from 'koa'
import { layOutBackchannel } from './backchannel.js'
import { layOutCallback } from './callback.js'
import { createSsoFaults } from './faults.js'
import { layOutLink } from './link.js'
import type { SsoOptions } from './options.js'
import { layOutSignOut } from './sign-out.js'
import { layOutStart } from './start.js'

/** The pages under `/auth/sso`: out to an identity provider and back. */
export function createSsoPages(options: SsoOptions): Middleware {
  const router = new Router({ prefix: '/auth/sso' })
  router.use(createSsoFaults(options.turnedAway))
  layOutStart(router, options)
  layOutCallback(router, options)
  layOutLink(router, options)
  layOutSignOut(router, options)
  layOutBackchannel(router, options)
  return router.routes() as Middleware
}
