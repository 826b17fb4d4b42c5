import type { JsonObject } from '@gatehouse/sdk'
import { fakeServer, INITIALIZED } from '../../upstream/testing.js'
import { answerJson, sendEvent, startStream, type FakeServer, type Seen } from '../fake-upstream.js'
import { until } from '../until.js'

/** One call under way at a legacy server, which does with it what the test says. */
export interface HeldCall {
  readonly seen: Seen
  readonly arguments: JsonObject
  /** Asks on the stream of the call, without waiting for the answer. */
  ask(id: string | number, method: string, params?: JsonObject): void
  say(message: JsonObject): void
  answer(result: JsonObject): void
  /** Cuts the connection in the middle of it. */
  drop(): void
}

export interface HeldServer extends FakeServer {
  /** Waits for the call that was made with this text, or made so for the nth time. */
  call(text: string, nth?: number): Promise<HeldCall>
  /** What a client answered to the question of this id. */
  answered(id: string | number): Promise<JsonObject>
  /** Waits until the server was told that its call is not wanted any more. */
  cancelled(call: HeldCall): Promise<void>
  sessions(): readonly string[]
  sessionOf(call: HeldCall): string
  /** Sends something on the standing stream of a session. */
  push(session: string, message: JsonObject): void
}

export interface HeldOptions {
  /** Whether its sessions have a standing stream. */
  readonly stands?: boolean
}

const capabilities = { tools: {}, logging: {} }
const LISTS: Readonly<Record<string, JsonObject>> = {
  'tools/list': { tools: ['act', 'other'].map((name) => ({ name, inputSchema: { type: 'object' } })) },
  'prompts/list': { prompts: [] },
  'resources/list': { resources: [] },
  'resources/templates/list': { resourceTemplates: [] },
}

/** A legacy server over raw HTTP that holds each call open and asks on its stream. */
export async function heldServer({ stands = false }: HeldOptions = {}): Promise<HeldServer> {
  const calls: HeldCall[] = []
  const streams = new Map<string, Seen>()
  let opened = 0
  const server = await fakeServer((seen) => {
    const { body, verb, res } = seen
    const method = String(body['method'])
    const list = LISTS[method]
    if (list !== undefined) answerJson(seen, { result: list })
    else if (method === 'server/discover') answerJson(seen, { id: null, error: { code: -32000, message: 'Bad' } }, 400)
    else if (method === 'initialize')
      answerJson(seen, { result: { ...INITIALIZED, capabilities } }, 200, { 'mcp-session-id': `s${(opened += 1)}` })
    else if (method === 'tools/call') calls.push(hold(seen))
    else if (verb === 'POST' && 'method' in body && 'id' in body) answerJson(seen, { result: {} })
    else if (verb === 'POST') res.writeHead(202).end()
    else if (verb === 'GET' && stands) {
      streams.set(sessionOf(seen), seen)
      startStream(seen)
    } else res.writeHead(verb === 'DELETE' ? 200 : 405).end()
  })
  return {
    ...server,
    push: (session, message) => sendEvent(streams.get(session) as Seen, message),
    sessionOf: ({ seen }) => sessionOf(seen),
    call: (text, nth = 1) =>
      until(`it is called with ${text}`, () => calls.filter((call) => call.arguments['text'] === text)[nth - 1]),
    answered: (id) =>
      until(
        `question ${id} is answered`,
        () => server.seen.find(({ body }) => body['id'] === id && !('method' in body))?.body,
      ),
    async cancelled({ seen }) {
      const isIt = ({ body }: Seen) =>
        body['method'] === 'notifications/cancelled' && (body['params'] as JsonObject)['requestId'] === seen.body['id']
      await until('the call is taken back', () => server.seen.find(isIt))
    },
    sessions: () => {
      const ended = new Set(server.seen.filter(({ verb }) => verb === 'DELETE').map(sessionOf))
      return [...new Set(server.seen.map(sessionOf))].filter((session) => session !== '' && !ended.has(session))
    },
  }
}

const sessionOf = ({ headers }: Seen) => String(headers['mcp-session-id'] ?? '')

function hold(seen: Seen): HeldCall {
  const params = seen.body['params'] as JsonObject
  startStream(seen)
  return {
    seen,
    arguments: (params['arguments'] ?? {}) as JsonObject,
    ask: (id, method, given) => sendEvent(seen, { id, method, ...(given === undefined ? {} : { params: given }) }),
    say: (message) => sendEvent(seen, message),
    answer(result) {
      sendEvent(seen, { id: seen.body['id'], result })
      seen.res.end()
    },
    drop: () => void seen.res.destroy(),
  }
}

export const FORM = {
  message: 'Your name?',
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
}
export const text = (said: string) => ({ content: [{ type: 'text', text: said }] })
