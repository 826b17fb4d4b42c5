import type { IncomingMessage } from 'node:http'
import type { Context, Middleware } from 'koa'
import { asGatehouseError, retryAfter } from '../../errors.js'
import type { AuthorizationServer } from '../../oauth/server/server.js'
import { SCOPES } from '../../oauth/server/provider.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import type { Browser } from '../pages/browser.js'
import { meantPath } from './places.js'

export interface MountOptions {
  readonly server: Pick<AuthorizationServer, 'handle'>
  /** The public base URL, without a trailing slash. */
  readonly url: () => string
  readonly counter: Counter
  readonly browser: Pick<Browser, 'session'>
  /** Counts a request; throws GH_PAGE_RATE_LIMITED past the limit. */
  readonly throttle: (path: string, req: IncomingMessage) => Promise<void>
}

/** Tells the authorization server who is signed in where a request came from, without its knowing our cookies. */
export interface Counter {
  serve(ctx: Context, browser: Pick<Browser, 'session'>): void
  signedIn(req: IncomingMessage): Promise<SignedIn | null>
}

export function createCounter(): Counter {
  const asked = new WeakMap<IncomingMessage, () => Promise<SignedIn | null>>()
  return {
    serve: (ctx, browser) => void asked.set(ctx.req, () => browser.session(ctx)),
    signedIn: async (req) => (await asked.get(req)?.()) ?? null,
  }
}

/**
 * The authorization server's own endpoints, at all places where clients look for them. It makes its URLs from the host of a
 * request, so every request is given ours: a forged one would otherwise stand in metadata and in redirects.
 */
export function createMount({ server, url, counter, browser, throttle }: MountOptions): Middleware {
  return async (ctx, next) => {
    const meant = meantPath(ctx.path)
    if (meant === null) return next()
    if (ctx.method === 'OPTIONS') return preflight(ctx)
    try {
      await throttle(meant, ctx.req)
    } catch (thrown) {
      return refuseForNow(ctx, thrown)
    }
    counter.serve(ctx, browser)
    ctx.req.url = meant + (meant === '/oauth/authorize' ? withScope(ctx.querystring) : ctx.search)
    await answer(ctx, new URL(url()), (c) => server.handle(c.req, c.res))
  }
}

/** Hands the request to whoever answers by itself, as one to our own host. */
export async function answer(ctx: Context, base: URL, work: (ctx: Context) => Promise<void>): Promise<void> {
  asOurs(ctx.req, base)
  ctx.respond = false
  ctx.res.statusCode = 404
  try {
    await work(ctx)
  } catch (thrown) {
    // Nothing was answered: whoever shows failures does.
    ctx.respond = true
    throw thrown
  }
}

export function asOurs(req: IncomingMessage, base: URL): void {
  req.headers.host = base.host
  req.headers['x-forwarded-proto'] = base.protocol.slice(0, -1)
  delete req.headers['x-forwarded-host']
}

/** Any page may talk to these endpoints: no cookie opens anything there. */
function preflight(ctx: Context): void {
  ctx.set({
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-allow-headers': ctx.get('access-control-request-headers') || 'content-type, authorization',
    'access-control-max-age': '600',
  })
  ctx.status = 204
}

const PROMPTS = new Set(['none', 'login', 'consent'])

/** Clients that ask for no scope, or for some that nobody knows here, ask for what there is; the same with prompts. */
function withScope(query: string): string {
  const params = new URLSearchParams(query)
  const known = (params.get('scope') ?? '').split(' ').filter((scope) => SCOPES.includes(scope))
  params.set('scope', [...new Set(['mcp', ...known])].join(' '))
  const prompts = (params.get('prompt') ?? '').split(' ').filter((prompt) => PROMPTS.has(prompt))
  if (prompts.length > 0) params.set('prompt', prompts.join(' '))
  else params.delete('prompt')
  return `?${params.toString()}`
}

/** As RFC 6749 (section 5.2) words failures, so that a client can tell. */
function refuseForNow(ctx: Context, thrown: unknown): void {
  const error = asGatehouseError(thrown)
  if (error.code !== 'GH_PAGE_RATE_LIMITED') throw error
  ctx.set({ ...retryAfter(error), 'access-control-allow-origin': '*', 'cache-control': 'no-store' })
  ctx.status = 429
  ctx.body = { error: 'temporarily_unavailable', error_description: 'Too many requests: try again later.' }
}
