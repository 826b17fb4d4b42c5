import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EgressCode, Evaluation, Leaf, PluginFetch } from '@gatehouse/sdk'
import { callContext, startPlugin } from '@gatehouse/sdk/testing'
import plugin from './index.js'

export interface Received {
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}
export interface Answer {
  readonly status?: number
  readonly json?: unknown
  readonly text?: string
}

/** An analyzer on this machine that keeps what it is asked and answers as it is told. */
export async function serve(answer: (received: Received, nth: number) => Answer) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString()
    received.push({ path: request.url, headers: request.headers, body: text === '' ? null : JSON.parse(text) })
    const { status = 200, json, text: plain } = answer(received.at(-1) as Received, received.length)
    response.writeHead(status, { 'content-type': 'application/json' }).end(plain ?? JSON.stringify(json))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const stop = () => new Promise<void>((done) => (server.closeAllConnections(), server.close(() => done())))
  return { url: `http://127.0.0.1:${port}`, received, stop }
}

const failed = (code: EgressCode, message: string) => Object.assign(new Error(message), { code })

/** The guarded way out without its guard. */
export const plainFetch: PluginFetch = async (url, init = {}) => {
  const late = AbortSignal.timeout(init.timeoutMs ?? 30_000)
  const { method = 'GET', headers = {}, body = null } = init
  try {
    const response = await fetch(url, { method, headers, body, signal: late, redirect: 'manual' })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const text = () => new TextDecoder().decode(bytes)
    const header = (name: string) => response.headers.get(name) ?? undefined
    return { status: response.status, header, body: bytes, text, json: () => JSON.parse(text()) as unknown }
  } catch (thrown) {
    if (late.aborted) throw failed('GH_EGRESS_TIMEOUT', 'it did not answer in time')
    const isRefused = (thrown as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED'
    throw failed(isRefused ? 'GH_EGRESS_UNREACHABLE' : 'GH_EGRESS_FAILED', 'it could not be reached')
  }
}

export const started = () => startPlugin(plugin, {}, { fetch: plainFetch })

type Config = Readonly<Record<string, unknown>>
export const instanceOf = (config: Config) => ({ id: 'engine-1', name: 'ner', config })
export const value = (text: string): Leaf => ({ kind: 'value', text })

/** A rule with these keys, prepared; throws what is wrong with it. */
export async function prepared(instance: Config, rule: Config = {}) {
  const host = await started()
  const request = { config: rule, action: 'mask', instance: instanceOf(instance), rule: null } as const
  const answer = await host.askKeyed('engine.prepare', 'presidio', request)
  if (!answer.ok) throw new Error(answer.errors.map(({ path, message }) => `${path}: ${message}`).join('; '))
  const evaluate = (...texts: readonly string[]): Promise<Evaluation> =>
    host.askKeyed('engine.evaluate', 'presidio', {
      ...{ state: answer.state, pass: 0, leg: 'response', leaves: texts.map(value), message: {} },
      ...{ context: callContext(), header: () => undefined, rewrite: () => ({}) },
    })
  return { host, evaluate }
}

/** Answers every text with these findings. */
export const finding =
  (...results: readonly (readonly [type: string, start: number, end: number, score: number])[]) =>
  ({ body }: Received): Answer => {
    const list = results.map(([type, start, end, score]) => ({
      entity_type: type,
      start,
      end,
      score,
      analysis_explanation: null,
    }))
    return { json: Array.isArray(body.text) ? body.text.map(() => list) : list }
  }
