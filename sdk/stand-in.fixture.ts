import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EgressCode, PluginFetch } from './egress.js'

/** A request that a stand-in received. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** What a stand-in answers: a status with a body, or whatever the function makes of the response. */
export type StandInAnswer = (received: Received, nth: number) => StandInReply | ((response: ServerResponse) => void)
export interface StandInReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A local HTTP server in place of somebody else's service: it keeps what it is sent and answers as it is told. */
export interface StandIn {
  readonly url: string
  readonly received: readonly Received[]
  close(): Promise<void>
}

export async function startStandIn(answer: StandInAnswer): Promise<StandIn> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const one = { method, path: url, headers, text: await readAll(request) }
    received.push(one)
    const reply = answer(one, received.length)
    if (typeof reply === 'function') return reply(response)
    const { status = 200, headers: own = {}, body } = reply
    response.writeHead(status, { 'content-type': 'application/json', ...own })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>((done) => (server.closeAllConnections(), server.close(() => done())))
  return { url: `http://127.0.0.1:${port}`, received, close }
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

const failed = (code: EgressCode, message: string) => Object.assign(new Error(message), { code })

/** The way out without its guard, for tests alone: what it throws has the codes of the contract. */
export const unguardedFetch: PluginFetch = async (url, init = {}) => {
  const late = AbortSignal.timeout(init.timeoutMs ?? 30_000)
  const signal = init.signal === undefined ? late : AbortSignal.any([late, init.signal])
  const { method = 'GET', headers = {}, body = null } = init
  try {
    const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
    if (response.status >= 300 && response.status < 400) throw failed('GH_EGRESS_REDIRECT', 'it redirects')
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (bytes.length > (init.maxBytes ?? Infinity)) throw failed('GH_EGRESS_TOO_LARGE', 'the answer is too large')
    const text = () => new TextDecoder().decode(bytes)
    const header = (name: string) => response.headers.get(name) ?? undefined
    return { status: response.status, header, body: bytes, text, json: () => JSON.parse(text()) as unknown }
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('GH_')) throw thrown
    if (init.signal?.aborted === true) throw init.signal.reason
    if (late.aborted) throw failed('GH_EGRESS_TIMEOUT', 'it did not answer in time')
    const isRefused = (thrown as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED'
    throw failed(isRefused ? 'GH_EGRESS_UNREACHABLE' : 'GH_EGRESS_FAILED', 'it could not be reached')
  }
}
