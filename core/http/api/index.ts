import { randomUUID } from 'node:crypto'
import { Router } from '@koa/router'
import type { RouterContext } from '@koa/router'
import type { Middleware } from 'koa'
import { parse } from '../../configuration/problems.js'
import { actorOf } from '../../configuration/work.js'
import { asGatehouseError, GatehouseError } from '../../errors.js'
import { hashSecret } from '../../identity/tokens.js'
import type { UserRef } from '@gatehouse/sdk'
import { readBody } from '../body.js'
import { checkNeed, mustHoldAll } from './needs.js'
import { describeApi, statusOf } from './openapi.js'
import type { ApiOptions, Operation } from './operation.js'
import { MOST_BYTES } from './operation.js'
import { createOperations } from './operations.js'

const TOKEN = /^Bearer +(gpat_[A-Za-z0-9_-]{43})$/i

/** The admin API under `/api/v1`. Every answer is JSON, every failure `{ error: { code, message, field? } }`. */
export function createApi(options: ApiOptions): Router {
  const router = new Router({ prefix: '/api/v1' })
  const operations = createOperations(options)
  const description = describeApi(operations, options)
  router.use(failures(options))
  router.get('/openapi.json', (ctx) => void (ctx.body = description))
  for (const operation of inOrder(operations))
    router[operation.method](operation.path.replaceAll(/\{(\w+)\}/g, ':$1'), (ctx) => serve(ctx, operation, options))
  router.all('/{*rest}', (ctx) => {
    throw new GatehouseError('GH_API_NOT_FOUND', { message: `no operation ${ctx.method} ${ctx.path.slice(0, 200)}` })
  })
  return router
}

/** `/logs/follow` before `/logs/{id}`, whatever the order of the table. */
const inOrder = (operations: readonly Operation[]): Operation[] =>
  operations.toSorted((a, b) => Number(a.path.endsWith('}')) - Number(b.path.endsWith('}')))

async function serve(ctx: RouterContext, operation: Operation, options: ApiOptions): Promise<void> {
  const caller = await authenticate(ctx, options)
  if (operation.mostBytes > MOST_BYTES) checkNeed(caller.capabilities, operation.need, {}, [])
  const body = operation.input === null ? {} : await readJson(ctx, operation.mostBytes)
  checkNeed(caller.capabilities, operation.need, operation.fields, keysOf(body))
  mustHoldAll(caller.capabilities, operation.also)
  const actor = actorOf(caller)
  const answer = await operation.handle({
    caller,
    actor,
    params: ctx['params'] as Record<string, string>,
    query: operation.query ? parse(operation.query, { ...ctx.query }) : undefined,
    input: operation.input ? parse(operation.input, body) : undefined,
  })
  if (operation.output === null) return void (ctx.status = 204)
  ctx.status = statusOf(operation.method, operation.id)
  ctx.body = operation.output.parse(answer)
}

/** By token, or else as whoever is signed in to the console in this browser. */
async function authenticate(ctx: RouterContext, options: ApiOptions): Promise<UserRef> {
  if (ctx.get('authorization') === '') {
    const signedIn = await options.browser.session(ctx)
    if (signedIn === null) throw unauthorized()
    mustBeOurs(ctx, options)
    return signedIn.user
  }
  return byToken(ctx, options)
}

/**
 * A browser sends the cookie along with what other sites make it send. Such requests cannot be of JSON without asking first,
 * which nobody allows them, and they say where they come from.
 */
function mustBeOurs(ctx: RouterContext, { browser }: ApiOptions): void {
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return
  const isJson = /^application\/json\s*(;|$)/i.test(ctx.get('content-type'))
  if (isJson && browser.saysOurs(ctx)) return
  throw new GatehouseError('GH_PAGE_FORM', {
    message: 'With the cookie of a session, changes are taken as application/json from pages of this gateway alone.',
    detail: isJson ? 'it came from another site' : 'its content type is not application/json',
  })
}

async function byToken(ctx: RouterContext, { resolveAdmin }: ApiOptions): Promise<UserRef> {
  const secret = TOKEN.exec(ctx.get('authorization'))?.[1]
  if (secret === undefined) throw unauthorized()
  try {
    return await resolveAdmin(hashSecret(secret))
  } catch (error) {
    const { code, message, detail } = asGatehouseError(error)
    if (code === 'GH_AUTHENTICATE_INVALID') throw unauthorized(detail)
    if (code === 'GH_AUTHENTICATE_DISABLED') throw new GatehouseError('GH_API_FORBIDDEN', { message, cause: error })
    throw error
  }
}

const unauthorized = (detail = 'no admin token was sent'): GatehouseError =>
  new GatehouseError('GH_API_UNAUTHORIZED', {
    detail,
    message: 'Send Authorization: Bearer gpat_… with an admin token that is neither expired nor revoked.',
  })

async function readJson(ctx: RouterContext, mostBytes: number): Promise<unknown> {
  if (!ctx.is('application/json')) throw new GatehouseError('GH_DOOR_MEDIA_TYPE')
  const bytes = await readBody(ctx.req, mostBytes)
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    throw new GatehouseError('GH_DOOR_NOT_JSON')
  }
}

const keysOf = (body: unknown): string[] => (typeof body === 'object' && body !== null ? Object.keys(body) : [])

function failures({ onBroken, turnedAway }: ApiOptions): Middleware {
  return async (ctx, next) => {
    const correlationId = randomUUID()
    ctx.set({ 'cache-control': 'no-store', 'x-correlation-id': correlationId })
    try {
      await next()
    } catch (thrown) {
      const error = asGatehouseError(thrown)
      const { http } = error.entry
      if (http >= 500) onBroken(thrown)
      // Whoever sends nothing is told what to send, and has tried nothing.
      const hasTried = error.code === 'GH_API_UNAUTHORIZED' && ctx.get('authorization') !== ''
      if (error.code === 'GH_PAGE_FORM' || hasTried) await turnedAway(ctx, error.detail ?? error.message, http)
      if (http === 401) ctx.set('www-authenticate', 'Bearer realm="gatehouse-admin"')
      ctx.status = http === 200 ? 502 : http
      const field = error.data?.['field']
      const { code, message } = error
      ctx.body = { error: { code, message, ...(typeof field === 'string' ? { field } : {}) } }
    }
  }
}
