import { PEOPLE, type Person } from './canaries.js'
import { drawMessage, type Message, type Seen } from './client-messages.js'
import { mutate, oddOf, writeOdd, ABYSSES } from './odd-json.js'
import { mutateBytes } from './odd-bytes.js'
import type { Random } from './random.js'

/** One request as it goes over the wire, and what may come of it. */
export interface Sent {
  readonly person: Person
  readonly bytes: Buffer
  readonly body: Buffer
  readonly verb: string
  /** Its answer may be a stream without an end of its own. */
  readonly lasts: boolean
  /** The gateway need not answer: the request was never whole, or larger than it may be. */
  readonly mayBeCut: boolean
  /** How long its client waits, at most; then it goes away. */
  readonly patienceMs: number
}

export interface Caller {
  readonly person: Person
  readonly token: string
  readonly path: string
}

type Headers = readonly (readonly [name: string, value: string])[]

const LARGEST = 64 * 1024
/** Longer than anything may take: a client that comes back from a URL is made to wait for 20 s. */
const PATIENCE_MS = 25_000
const TORN_MS = 50

/** A message as a client sends it. */
export function requestOf(caller: Caller, { body, headers }: Message): Sent {
  return framed(caller, {
    verb: 'POST',
    headers: [...usual(caller), ...headers],
    body: Buffer.from(JSON.stringify(body)),
  })
}

/** A GET or DELETE of a session. */
export function verbOf(caller: Caller, verb: string, session: string): Sent {
  return framed(caller, { verb, headers: [...usual(caller), ['mcp-session-id', session]], body: Buffer.alloc(0) })
}

function usual({ token }: Caller): Headers {
  return [
    ['host', 'localhost'],
    ['authorization', `Bearer ${token}`],
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
  ]
}

/** The same from a client that goes away after a moment. */
export const impatient = (sent: Sent, ms: number): Sent => ({ ...sent, mayBeCut: true, patienceMs: ms })

/** A request that something is wrong with, most likely. */
export function drawRequest(
  caller: Caller,
  { number, random, seen }: { number: number; random: Random; seen: Seen },
): Sent {
  const { person } = caller
  const message = drawMessage({ person, number, random, seen })
  const headers = [...usual(caller), ...message.headers]
  if (random.chance(0.08)) return drawVerb(caller, headers, { random, seen })
  const body = drawBody(message, { number, random, seen, person })
  const odd = random.chance(0.3) ? oddHeaders(caller.person, headers, { random, seen }) : headers
  return framed(caller, { verb: 'POST', headers: odd, body }, random)
}

function drawBody(message: Message, drawing: { person: Person; number: number; random: Random; seen: Seen }): Buffer {
  const { random } = drawing
  if (random.chance(0.05)) return drawBatch(message, drawing)
  let value = oddOf(message.body)
  if (random.chance(0.003)) return Buffer.from(writeOdd(random.pick(ABYSSES)))
  for (let changes = random.int(4); changes > 0; changes -= 1) value = mutate(value, random)
  const bytes = Buffer.from(writeOdd(value))
  return random.chance(0.15) ? mutateBytes(bytes, random) : bytes
}

function drawBatch(first: Message, drawing: { person: Person; number: number; random: Random; seen: Seen }): Buffer {
  const { random } = drawing
  const more = Array.from({ length: random.int(5) }, () => drawMessage(drawing).body)
  const items = [first.body, ...more].map((body) => (random.chance(0.4) ? mutate(oddOf(body), random) : oddOf(body)))
  return Buffer.from(writeOdd(items))
}

function drawVerb(caller: Caller, headers: Headers, { random, seen }: { random: Random; seen: Seen }): Sent {
  const verb = random.pick(['GET', 'GET', 'GET', 'DELETE', 'PUT', 'OPTIONS', 'PATCH'])
  const lastEventId = random.pick([...seen.events.slice(-20), 'ab12.1.1', '0', '', '\u{e9}', 'x'.repeat(500)])
  const all: Headers = random.chance(0.5) ? headers : [...headers, ['last-event-id', lastEventId]]
  const odd = random.chance(0.3) ? oddHeaders(caller.person, all, { random, seen }) : all
  return framed(caller, { verb, headers: odd, body: Buffer.alloc(0) }, random)
}

const NAMES = ['accept', 'content-type', 'authorization', 'origin', 'host', 'last-event-id', 'content-encoding'].concat(
  ['mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-param-region', 'x-forwarded-for', 'expect'],
)
const VALUES = ['', ' ', 'a', '*/*', 'text/event-stream', 'application/json', 'application/json;charset=utf-16'].concat(
  ['text/plain', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28', '2027-01-01', 'tools/call', 'TOOLS/LIST'],
  ['=?base64?YQ==?=', '=?base64?!?=', '=?BASE64?YQ?=', 'Bearer', 'Bearer API_x', 'Basic YTpi', 'http://evil.example'],
  ['http://localhost', 'null', '\u00e9\u00ff', 'x'.repeat(3_000), 'a, b', '"', 'gzip'],
)

/** Dropped, doubled, exchanged or changed; sessions of everybody are among the values. */
function oddHeaders(person: Person, headers: Headers, { random, seen }: { random: Random; seen: Seen }): Headers {
  const at = random.int(headers.length)
  const [name = ''] = headers[at] ?? []
  const session = anySession(person, { random, seen })
  const value = random.chance(0.2) ? session : random.pick(VALUES)
  switch (random.int(6)) {
    case 0:
      return headers.filter((_, n) => n !== at)
    case 1:
      return [...headers, [name, value]]
    case 2:
      return [...headers, ['mcp-session-id', session]]
    case 3:
      return headers.map(([known, old]) => (known === 'mcp-session-id' ? [known, session] : [known, old]))
    case 4:
      return [...headers, [random.pick(NAMES), value]]
    default:
      return headers.map(([known, old], n) => (n === at ? [known, value] : [known, old]))
  }
}

/** Of anybody, but not one's own that the untampered calls use. */
function anySession(person: Person, { random, seen }: { random: Random; seen: Seen }): string {
  const whose = random.pick(PEOPLE)
  return random.pick(whose === person ? seen.sessions[whose].slice(1) : seen.sessions[whose])
}

interface Parts {
  readonly verb: string
  readonly headers: Headers
  readonly body: Buffer
}

function framed({ person, path }: Caller, { verb, headers, body }: Parts, random?: Random): Sent {
  const isTorn = random?.chance(0.01) ?? false
  const isChunked = !isTorn && (random?.chance(0.05) ?? false)
  const target = random?.chance(0.02)
    ? random.pick([`${path}/`, `${path}?gateway=house`, '/mcp', '/mcp/%68ouse', '/mcp/nowhere'])
    : path
  const length = isChunked
    ? [['transfer-encoding', 'chunked'] as const]
    : [['content-length', String(body.length + (isTorn ? 10 : 0))] as const]
  const lines = [...headers, ...length].map(([name, value]) => `${name}: ${value}\r\n`)
  const head = Buffer.from(`${verb} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
  const chunks = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
  const content = !isChunked ? body : body.length === 0 ? Buffer.from('0\r\n\r\n') : chunks
  return {
    person,
    verb,
    body,
    bytes: Buffer.concat([head, content]),
    lasts: verb === 'GET' || body.includes('subscriptions/listen'),
    patienceMs: isTorn ? TORN_MS : PATIENCE_MS,
    mayBeCut: isTorn || body.length > LARGEST || headers.some(([name]) => name === 'expect'),
  }
}
