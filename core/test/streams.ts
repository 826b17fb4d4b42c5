import type { JsonObject } from '@gatehouse/sdk'
import { META, MODERN_VERSION } from '../mcp/versions.js'
import type { Access } from './gateway.js'
import { until } from './until.js'

/** An event stream as its client reads it. */
export interface OpenStream {
  readonly status: number
  readonly headers: Headers
  /** Everything that came, as it came. */
  readonly text: () => string
  /** The messages that came. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly messages: () => any[]
  readonly isEnded: () => boolean
  /** Waits for a message of this method; the `nth`, from 1. */
  // oxlint-disable-next-line typescript/no-explicit-any
  hears(method: string, nth?: number): Promise<any>
  ended(): Promise<void>
  close(): void
}

function read(response: Response, abort: AbortController): OpenStream {
  let [text, isEnded] = ['', false]
  const reader = async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString('utf8')
  }
  void reader()
    .catch(() => undefined)
    .then(() => (isEnded = true))
  const messages = () => {
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    const lines = whole.split('\n').filter((line) => line.startsWith('data: {'))
    return lines.map((line) => JSON.parse(line.slice('data: '.length)))
  }
  return {
    status: response.status,
    headers: response.headers,
    text: () => text,
    messages,
    isEnded: () => isEnded,
    hears: (method, nth = 1) =>
      until(`the stream says ${method}, ${text}`, () => messages().filter((one) => one.method === method)[nth - 1]),
    ended: async () => void (await until('the stream ends', () => isEnded || undefined)),
    close: () => abort.abort(),
  }
}

/** The standing stream of a legacy session. */
export async function openStanding(access: Access, session: string): Promise<OpenStream> {
  const headers = {
    authorization: `Bearer ${access.token}`,
    accept: 'text/event-stream',
    'mcp-session-id': session,
    'mcp-protocol-version': '2025-11-25',
  }
  const abort = new AbortController()
  return read(await fetch(access.url, { headers, signal: abort.signal }), abort)
}

/** `subscriptions/listen` of a modern client. */
export async function openListen(
  access: Access,
  notifications: JsonObject,
  id: string | number = 1,
): Promise<OpenStream> {
  const _meta = { [META.version]: MODERN_VERSION, [META.capabilities]: {} }
  const abort = new AbortController()
  const response = await fetch(access.url, {
    method: 'POST',
    signal: abort.signal,
    headers: {
      authorization: `Bearer ${access.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN_VERSION,
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params: { notifications, _meta } }),
  })
  return read(response, abort)
}
