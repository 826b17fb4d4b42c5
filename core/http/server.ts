import { readFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import Koa, { type Middleware } from 'koa'
import { asGatehouseError, GatehouseError } from '../errors.js'
import type { Door } from './mcp-door.js'
import { decoded } from '../domain/decode.js'

export interface ServerOptions {
  readonly door: Door
  /** Everything else, in order. */
  readonly middleware: readonly Middleware[]
  readonly tls: { readonly cert: string; readonly key: string } | null
  readonly onBroken: (thrown: unknown) => void
  readonly timeouts?: Partial<Timeouts>
}

/** Milliseconds. A client that is slower with its headers or its body is answered 408 and cut off. */
export interface Timeouts {
  readonly headers: number
  readonly body: number
  readonly idle: number
}

const TIMEOUTS: Timeouts = { headers: 15_000, body: 60_000, idle: 65_000 }
const SWEEP_MS = 50
const MCP = /^\/mcp(?:\/([^/?]+))?\/?(?:\?(.*))?$/

export interface HttpServer {
  /** Listens; `localhost` means the loopback addresses of IPv4 and IPv6. Answers the port. */
  listen(host: string, port: number): Promise<number>
  /**
   * Takes no new connections, waits for the answers under way, then cuts the rest: after `graceMs` at the latest. Until then it
   * goes on listening while `isWanted`: those answers may wait for something that comes on a connection of its own.
   */
  stop(graceMs: number, isWanted?: () => boolean): Promise<void>
}

export function createServer(options: ServerOptions): HttpServer {
  const app = new Koa()
  app.on('error', options.onBroken)
  app.use(errors(options.onBroken))
  for (const middleware of options.middleware) app.use(middleware)
  const handler = split(options.door, app.callback())
  const timeouts = { ...TIMEOUTS, ...options.timeouts }
  const servers: Server[] = []
  /** Connections that clients opened in advance: to Node they are not idle before their first request. */
  const silent = new Set<Socket>()

  const open = async (host: string, port: number): Promise<number> => {
    const limits = {
      headersTimeout: timeouts.headers,
      requestTimeout: timeouts.body,
      keepAliveTimeout: timeouts.idle,
      // A client that has vanished without a word is noticed by the system.
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      // How often Node looks for the late: every 30 s by default, which would double the time that they get.
      connectionsCheckingInterval: Math.ceil(timeouts.headers / 5),
    }
    const server =
      options.tls === null ? createHttp(limits, handler) : createHttps({ ...limits, ...readTls(options.tls) }, handler)
    server.on(options.tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
      silent.add(socket)
      socket.once('close', () => silent.delete(socket))
    })
    server.on('request', ({ socket }) => silent.delete(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', (thrown) => reject(asListenError(thrown, host, port)))
      server.listen({ host, port }, () => {
        server.removeAllListeners('error')
        resolve()
      })
    })
    servers.push(server)
    return (server.address() as AddressInfo).port
  }

  return {
    async listen(host, port) {
      if (host !== 'localhost') return open(host, port)
      const chosen = await open('127.0.0.1', port)
      // A machine without IPv6 is served over IPv4 alone.
      await open('::1', chosen).catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code !== 'EADDRNOTAVAIL' && thrown.code !== 'EAFNOSUPPORT') throw thrown
      })
      return chosen
    },
    async stop(graceMs, isWanted = () => false) {
      const until = Date.now() + graceMs
      while (isWanted() && Date.now() < until) await pause(SWEEP_MS)
      const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      for (const socket of silent) socket.destroy()
      // A connection that falls idle now promised keep-alive before, and would be held until its own timeout.
      const sweep = setInterval(() => servers.forEach((server) => server.closeIdleConnections()), SWEEP_MS)
      const timer = setTimeout(() => servers.forEach((server) => server.closeAllConnections()), until - Date.now())
      await closed
      clearInterval(sweep)
      clearTimeout(timer)
    },
  }
}

function asListenError(thrown: NodeJS.ErrnoException, host: string, port: number): Error {
  if (thrown.code !== 'EADDRINUSE' && thrown.code !== 'EACCES') return thrown
  const why = thrown.code === 'EADDRINUSE' ? 'is taken: stop what listens there, or' : 'may not be used by this user:'
  const message = `Port ${port} of ${host} ${why} set PORT to another one`
  return new GatehouseError('GH_CONFIG_INVALID', { message, cause: thrown })
}

const readTls = (tls: { readonly cert: string; readonly key: string }) => ({
  cert: readFileSync(tls.cert),
  key: readFileSync(tls.key),
})

/**
 * `/mcp` and `/mcp/<gateway>` go straight to the door, which reads and writes for itself: Koa's context would be made for
 * each call and never used (measured: a tenth of a call's cost). Everything else is Koa's.
 */
function split(door: Door, others: RequestListener): RequestListener {
  return (req, res) => {
    const url = req.url ?? ''
    const match = url.startsWith('/mcp') ? MCP.exec(url) : null
    if (match === null) return others(req, res)
    const name = match[1] ?? new URLSearchParams(match[2]).get('gateway')
    void door(req, res, name === null ? null : decoded(name))
  }
}

/** What a route of ours throws, as the catalogue says; what is unforeseen is logged and tells nothing. */
function errors(onBroken: (thrown: unknown) => void): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined)
        ctx.body = { error: { code: 'GH_API_NOT_FOUND', message: `Nothing is served at ${ctx.path.slice(0, 200)}` } }
      if ((ctx.body as { error?: { code?: string } } | undefined)?.error?.code === 'GH_API_NOT_FOUND') ctx.status = 404
    } catch (thrown) {
      const error = asGatehouseError(thrown)
      if (error.code === 'GH_INTERNAL') onBroken(thrown)
      ctx.status = error.entry.http
      ctx.body = { error: { code: error.code, message: error.message, ...error.data } }
    }
  }
}
