import type { JsonObject } from '@gatehouse/sdk'
import { META, MODERN_VERSION } from '../mcp/versions.js'
import type { Access } from './gateway.js'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The JSON-RPC answer: the body, or the last event of a stream. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
  /** The events before it. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly notes: readonly any[]
}

export interface PostOptions {
  /** `undefined` leaves a header out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
}

/** One POST at the MCP door: the text as it is, no library between. */
export async function post(access: Access, text: string, { headers = {}, signal }: PostOptions = {}): Promise<Answer> {
  const all = {
    authorization: `Bearer ${access.token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  }
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const response = await fetch(access.url, {
    method: 'POST',
    headers: Object.fromEntries(sent),
    body: text,
    ...(signal === undefined ? {} : { signal }),
  })
  return answerOf(response, await response.text())
}

function answerOf({ status, headers }: Response, text: string): Answer {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') ?? false
  const events = isStream
    ? dataOf(text)
        // The first event of a stream that can be taken up again says only where.
        .filter((data) => data !== '')
        .map(parsed)
    : [parsed(text)]
  return { status, headers, text, json: events.at(-1), notes: events.slice(0, -1) }
}

/** By lines as HTTP has them: U+2028 may stand in an event. */
const dataOf = (text: string): string[] =>
  text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []))

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A legacy request without a session, or with the one given. */
export function legacy(access: Access, message: JsonObject, { session, ...options }: PostOptions & Session = {}) {
  const own = session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
  return post(access, text, { ...options, headers: { ...own, ...options.headers } })
}
interface Session {
  readonly session?: string
}

/** A modern request, with its envelope and the headers that repeat it. */
export function modern(access: Access, message: JsonObject, { headers = {}, ...options }: PostOptions = {}) {
  const { method, params = {} } = message as { method: string; params?: JsonObject }
  const meta = { [META.version]: MODERN_VERSION, [META.capabilities]: {}, ...(params._meta as JsonObject | undefined) }
  const named = params.name ?? params.uri
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message, params: { ...params, _meta: meta } })
  const own = {
    'mcp-protocol-version': MODERN_VERSION,
    'mcp-method': method,
    ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
  }
  return post(access, text, { ...options, headers: { ...own, ...headers } })
}

/** Opens a session, of the latest legacy version unless told, and answers its id. */
export async function openSession(access: Access, protocolVersion = '2025-11-25'): Promise<string> {
  const answer = await legacy(access, {
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo: { name: 'door-test', version: '1' } },
  })
  const id = answer.headers.get('mcp-session-id')
  if (id === null) throw new Error(`no session was opened: ${answer.status} ${answer.text}`)
  return id
}

export const call = (name: string, given: JsonObject = {}): JsonObject => ({
  method: 'tools/call',
  params: { name, arguments: given },
})
