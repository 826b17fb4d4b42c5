import type { JsonObject } from '@gatehouse/sdk'
import { open, type Asking, type Reading } from '../http/testing.js'
import { legacy } from './door.js'
import { fakeUpstream, sendEvent, startStream, type FakeServer, type Seen } from './fake-upstream.js'
import type { Access } from './gateway.js'
import { until } from './until.js'

/** A legacy server whose calls wait on their streams for a test to answer them. */
export interface WaitingServer extends FakeServer {
  /** Waits for the call that was made with this argument `as`. */
  call(as: string): Promise<Seen>
}

export async function waitingServer(): Promise<WaitingServer> {
  const waiting = new Map<unknown, Seen>()
  const server = await fakeUpstream(
    (seen) => {
      // The answer to its question.
      if (seen.body['method'] !== 'tools/call') return void seen.res.writeHead(202).end()
      const { arguments: given } = seen.body['params'] as { arguments: JsonObject }
      startStream(seen)
      waiting.set(given['as'], seen)
    },
    { era: 'legacy' },
  )
  return { ...server, call: (as) => until(`${as} has come to the server`, () => waiting.get(as)) }
}

export const log = (data: string) => ({ method: 'notifications/message', params: { level: 'error', data } })
export const ask = (seen: Seen, id: string, more: JsonObject = {}) =>
  sendEvent(seen, { id, method: 'elicitation/create', params: { message: 'Name?', requestedSchema: {}, ...more } })
export const finish = (seen: Seen, result: JsonObject = { content: [] }) => {
  sendEvent(seen, { id: seen.body['id'], result })
  seen.res.end()
}

/** A session whose streams are read event by event; `at` is another way to the same gateway. */
export interface ResumingClient {
  readonly access: Access
  readonly session: string
  send(message: JsonObject, asking?: Asking & { readonly at?: string }): Promise<Reading>
  resume(lastEventId: string, at?: string): Promise<Reading>
}

export async function resumingClient(
  access: Access,
  { version = '2025-11-25', capabilities = {} as JsonObject } = {},
): Promise<ResumingClient> {
  const params = { protocolVersion: version, capabilities, clientInfo: { name: 'test', version: '1' } }
  const answer = await legacy(access, { method: 'initialize', params })
  const session = answer.headers.get('mcp-session-id') ?? ''
  const headers = { authorization: `Bearer ${access.token}` }
  return {
    access,
    session,
    send: (message, { at = access.url, ...asking } = {}) =>
      open(
        at,
        { jsonrpc: '2.0', ...message },
        { session, version, ...asking, headers: { ...headers, ...asking.headers } },
      ),
    resume: (lastEventId, at = access.url) =>
      open(at, null, { method: 'GET', session, version, headers: { ...headers, 'last-event-id': lastEventId } }),
  }
}

export const lastIdOf = ({ text }: Reading) =>
  until('it has an id', () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1])
export const says = (reading: Reading, what: string) =>
  until(`it says ${what}`, () => (reading.text.includes(what) ? true : undefined))
export const ended = (reading: Reading) => until('it has ended', () => (reading.ended ? true : undefined))
