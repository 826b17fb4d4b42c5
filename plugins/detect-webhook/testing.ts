import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EgressCode, EngineInstance, EvaluateRequest, Evaluation, Json, PluginFetch } from '@gatehouse/sdk'
import { callContext, startPlugin } from '@gatehouse/sdk/testing'
import type { TestHost } from '@gatehouse/sdk/testing'
import type { WebhookRequest } from '@gatehouse/sdk/webhook'
import plugin from './index.js'

export interface Received {
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly request: WebhookRequest
}

export type Answering = (received: Received, response: ServerResponse, nth: number) => void

export interface WebhookService {
  readonly url: string
  readonly received: readonly Received[]
  close(): Promise<void>
}

/** A service on this machine that keeps what it is sent and answers as it is told. */
export async function serve(answer: Answering): Promise<WebhookService> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const text = await readAll(request)
    const one = { method: request.method, headers: request.headers, text, request: JSON.parse(text) as WebhookRequest }
    received.push(one)
    answer(one, response, received.length)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise<void>((done) => (server.closeAllConnections(), server.close(() => done())))
  return { url: `http://127.0.0.1:${port}/inspect`, received, close }
}

/** Answers the same to everybody. */
export const saying =
  (answer: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answering =>
  (_received, response) =>
    void response.writeHead(status, headers).end(typeof answer === 'string' ? answer : JSON.stringify(answer))

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

const failed = (code: EgressCode, message: string) => Object.assign(new Error(message), { code })

/** The guarded way out without its guard: what it throws has the codes of the contract. */
export const plainFetch: PluginFetch = async (url, init = {}) => {
  const late = AbortSignal.timeout(init.timeoutMs ?? 30_000)
  const signal = init.signal === undefined ? late : AbortSignal.any([late, init.signal])
  const { method = 'GET', headers = {}, body = null } = init
  try {
    const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
    if (response.status >= 300 && response.status < 400) throw failed('GH_EGRESS_REDIRECT', 'it redirects')
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (bytes.length > (init.maxBytes ?? 0)) throw failed('GH_EGRESS_TOO_LARGE', 'the answer is too large')
    const text = () => new TextDecoder().decode(bytes)
    const header = (name: string) => response.headers.get(name) ?? undefined
    return { status: response.status, header, body: bytes, text, json: () => JSON.parse(text()) as unknown }
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('GH_')) throw thrown
    if (init.signal?.aborted) throw init.signal.reason
    if (late.aborted) throw failed('GH_EGRESS_TIMEOUT', 'it did not answer in time')
    const isRefused = (thrown as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED'
    throw failed(isRefused ? 'GH_EGRESS_UNREACHABLE' : 'GH_EGRESS_FAILED', 'it could not be reached')
  }
}

export const started = (now?: () => number): Promise<TestHost> =>
  startPlugin(plugin, {}, { fetch: plainFetch, ...(now === undefined ? {} : { now }) })

export const instanceOf = (config: Readonly<Record<string, unknown>>): EngineInstance => ({
  id: 'engine-1',
  name: 'acme-dlp',
  config,
})

export interface Asking {
  readonly leg?: 'request' | 'response'
  readonly message?: Json
  readonly context?: Parameters<typeof callContext>[0]
  readonly header?: EvaluateRequest['header']
  readonly signal?: AbortSignal
}

export const RESULT = { content: [{ type: 'text', text: 'mail ana@example.com' }] }
export const PARAMS = { name: 'echo', arguments: { text: 'hello' }, _meta: { progressToken: 1 } }

/** Prepares a rule of the instance and evaluates it once. */
export async function evaluated(
  host: TestHost,
  config: Readonly<Record<string, unknown>>,
  asking: Asking = {},
): Promise<Evaluation> {
  const { leg = 'response', message = leg === 'request' ? PARAMS : RESULT, header = () => undefined } = asking
  const rule = { id: 'rule-1', name: 'Company DLP', version: 1 }
  const prepared = await host.askKeyed('engine.prepare', 'webhook', {
    config: {},
    action: null,
    instance: instanceOf(config),
    rule,
  })
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors))
  const context = callContext({ rpcId: 7, ...asking.context })
  const call = asking.signal === undefined ? {} : { signal: asking.signal }
  const request = { state: prepared.state, pass: 0, leg, leaves: [], message, context, header, rewrite: () => message }
  return host.askKeyed('engine.evaluate', 'webhook', request, call)
}

/** One evaluation against a service that answers as it is told. */
export async function answering(
  answer: Answering,
  asking: Asking & { readonly config?: Readonly<Record<string, unknown>> } = {},
): Promise<{ readonly evaluation: Evaluation; readonly received: readonly Received[] }> {
  const service = await serve(answer)
  try {
    const evaluation = await evaluated(await started(), { url: service.url, ...asking.config }, asking)
    return { evaluation, received: service.received }
  } finally {
    await service.close()
  }
}
