import type { Json, JsonObject } from '@gatehouse/sdk'
import { encodeHeaderValue } from '../../mcp/header-value.js'
import { LEGACY_VERSIONS, META, MODERN_VERSION } from '../../mcp/versions.js'
import { nonceOf } from './canaries.js'
import { nameOf, TOOLS } from './canary-features.js'
import type { Person } from './canaries.js'
import type { Random } from './random.js'

/** What the cases of all persons have seen so far, to be used again, rightly or wrongly. */
export interface Seen {
  /** Legacy sessions of each person; the first is for messages that nobody has tampered with. */
  readonly sessions: Readonly<Record<Person, string[]>>
  /** Sealed states, ids of questions and of events that the gateway has given out. */
  readonly states: Readonly<Record<Person, string[]>>
  readonly questions: Readonly<Record<Person, string[]>>
  readonly events: string[]
  /** States of calls that everybody makes with the same words. */
  readonly plain: Readonly<Record<Person, { readonly server: Era; readonly requestState: string }[]>>
}

/** A valid message, to begin with. */
export interface Message {
  readonly body: JsonObject
  readonly headers: readonly (readonly [string, string])[]
}

type Id = string | number
type Era = 'modern' | 'legacy'

const IDS: readonly Id[] = [0, '', -1, 2 ** 53 - 1, -(2 ** 53 - 1), 'null', '0', '\u{1f4a5}', 'x'.repeat(500)]

export const drawId = (number: number, random: Random): Id =>
  random.chance(0.3) ? random.pick(IDS) : random.chance(0.5) ? number : `id-${number}`

/** Full capabilities make a client one that can be asked. */
const ABLE: JsonObject = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: { listChanged: true } }

export function initialize(id: Id, version: string, capabilities: JsonObject = ABLE): Message {
  const clientInfo = { name: 'fuzz', version: '1' }
  const params = { protocolVersion: version, capabilities, clientInfo }
  return { body: { jsonrpc: '2.0', id, method: 'initialize', params }, headers: [] }
}

export function legacyRequest(id: Id | null, method: string, params: JsonObject, session: string | undefined): Message {
  return {
    body: { jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params },
    headers: session === undefined ? [] : [['mcp-session-id', session]],
  }
}

export function modernRequest(id: Id | null, method: string, params: JsonObject, capabilities = ABLE): Message {
  const given = params['_meta'] as JsonObject | undefined
  const _meta = { [META.version]: MODERN_VERSION, [META.capabilities]: capabilities, ...given }
  const named = params['name'] ?? params['uri']
  return {
    body: { jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params: { ...params, _meta } },
    headers: [
      ['mcp-protocol-version', MODERN_VERSION],
      ['mcp-method', method],
      ...(typeof named === 'string' ? ([['mcp-name', encodeHeaderValue(named)]] as const) : []),
    ],
  }
}

interface Drawing {
  readonly person: Person
  readonly number: number
  readonly random: Random
  readonly seen: Seen
}

/** One of the valid messages that either era has. */
export function drawMessage(drawing: Drawing): Message {
  const { random } = drawing
  const id = drawId(drawing.number, random)
  if (random.chance(0.06)) return initialize(id, random.pick([...LEGACY_VERSIONS, MODERN_VERSION, '1999-01-01']))
  const params = drawParams(drawing)
  if (random.chance(0.45)) return drawModern(id, params, drawing)
  const session = random.chance(0.8) ? ownSession(drawing) : undefined
  if (random.chance(0.12)) return answerMessage(drawing, session)
  const [method, given] = random.chance(0.15) ? drawNote(drawing) : params
  return legacyRequest(method.startsWith('notifications/') ? null : id, method, given, session)
}

const ownSession = ({ person, random, seen }: Drawing) => random.pick(seen.sessions[person].slice(1))

function drawModern(id: Id, [method, params]: Named, drawing: Drawing): Message {
  const { random, person, seen } = drawing
  const capabilities = random.chance(0.7) ? ABLE : random.pick([{}, { elicitation: {} }])
  if (random.chance(0.08)) return modernRequest(null, ...drawNote(drawing))
  const states = random.chance(0.5) ? seen.states[person] : Object.values(seen.states).flat()
  if (method !== 'tools/call' || states.length === 0 || random.chance(0.6))
    return modernRequest(id, method, params, capabilities)
  const again = { ...params, requestState: random.pick(states), inputResponses: { word: answerOf(drawing) } }
  return modernRequest(id, method, again, capabilities)
}

/** The answer to a question, with the canary of whoever gives it. */
export const answerOf = ({ person, number }: Pick<Drawing, 'person' | 'number'>): JsonObject => ({
  action: 'accept',
  content: { word: nonceOf(person, number) },
})

/** An answer to a question of one's own, of somebody else's, or of nobody's. */
function answerMessage(drawing: Drawing, session: string | undefined): Message {
  const { random, seen, person, number } = drawing
  const known = random.chance(0.4) ? seen.questions[person] : Object.values(seen.questions).flat()
  const id = known.length === 0 || random.chance(0.2) ? random.pick([...IDS, 'ab12.1', number]) : random.pick(known)
  const error = { code: -32603, message: nonceOf(person, number) }
  const answer = random.chance(0.8) ? { result: answerOf(drawing) } : { error }
  return {
    body: { jsonrpc: '2.0', id, ...answer },
    headers: session === undefined ? [] : [['mcp-session-id', session]],
  }
}

type Named = [method: string, params: JsonObject]

function drawParams({ person, number, random }: Drawing): Named {
  const era: Era = random.pick(['modern', 'legacy'])
  const nonce = nonceOf(person, number)
  const meta: JsonObject = random.chance(0.4) ? { _meta: { progressToken: random.pick([...IDS, number]) } } : {}
  const cursor: JsonObject = random.chance(0.2) ? { cursor: random.pick(['', 'MTAw', nonce]) } : {}
  const given: JsonObject = { nonce, deep: [1, { two: null }], text: 'größe ✓' }
  const named = (name: string) => ({ name: nameOf(era, name), arguments: given, ...meta })
  const methods: readonly (() => Named)[] = [
    () => ['ping', {}],
    () => ['server/discover', {}],
    () => [random.pick(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']), cursor],
    () => ['tools/call', named(random.pick(TOOLS))],
    () => ['tools/call', named('ask')],
    () => ['tools/call', named('act')],
    () => ['prompts/get', named('prompt')],
    () => ['resources/read', { uri: `${era}://thing/${nonce}`, ...meta }],
    () => [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: nameOf(era, 'prompt') }, argument: { name: 'a', value: nonce } },
    ],
    () => ['logging/setLevel', { level: random.pick(['debug', 'info', 'emergency']) }],
    () => [random.pick(['resources/subscribe', 'resources/unsubscribe']), { uri: `${era}://thing` }],
    () => ['subscriptions/listen', { notifications: { toolsListChanged: true, resources: [`${era}://thing`] } }],
    () => [random.pick(['tasks/get', 'tasks/list', 'tasks/cancel', 'unknown/method']), { taskId: nonce }],
  ]
  return random.pick(methods)()
}

/** What is told and not asked; among it calls taken back, one's own and others'. */
function drawNote({ number, random }: Drawing): Named {
  const requestId: Json = random.pick([...IDS, number, number - 1, number - 3, `id-${number - 3}`])
  return random.pick<Named>([
    ['notifications/initialized', {}],
    ['notifications/cancelled', { requestId, reason: 'fuzz' }],
    ['notifications/roots/list_changed', {}],
    ['notifications/progress', { progressToken: requestId, progress: 1 }],
    ['notifications/unknown', {}],
  ])
}
