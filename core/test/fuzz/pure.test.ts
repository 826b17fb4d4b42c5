// time-limit: 240
import type { Json, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { classify, type EraHeaders } from '../../mcp/classify.js'
import { decodeHeaderValue, encodeHeaderValue } from '../../mcp/header-value.js'
import { isDeeper, parseJson, writeJson } from '../../mcp/json.js'
import { META, MODERN_VERSION } from '../../mcp/versions.js'
import { createSseParser, type SseEvent } from '../../upstream/sse-parser.js'
import { masterKey } from '../../vault/keys.js'
import { createTokenSealer } from '../../vault/seal-token.js'
import { idsIn } from './answer-laws.js'
import { drawMessage, type Seen } from './client-messages.js'
import { inPieces, mutateBytes } from './odd-bytes.js'
import { mutate, oddOf, showsMark, writeOdd } from './odd-json.js'
import { casesOf, replayLine, type Case } from './plan.js'
import type { Random } from './random.js'

/** Runs a law once for each case, and says which one broke it. */
function law(name: string, check: (random: Random) => void, share = 1): void {
  test(name, () => {
    const cases = casesOf('pure')
    const wanted = Math.ceil(cases.total * share)
    for (let one: Case | undefined = cases.next(), n = 0; one !== undefined && n < wanted; one = cases.next(), n += 1)
      try {
        check(one.random)
      } catch (thrown) {
        console.error(`--- ${replayLine('pure', one.number)} (${name})`)
        throw thrown
      }
  })
}

const each = () => ({ mia: ['s', 't'], max: ['s', 't'], kim: ['s', 't'] })
const SEEN: Seen = {
  sessions: each(),
  states: each(),
  questions: each(),
  events: ['0.0.0'],
  plain: { mia: [], max: [], kim: [] },
}
const draw = (random: Random) => drawMessage({ person: 'mia', number: 1, random, seen: SEEN })

function bent(value: JsonObject, random: Random): string {
  let odd = oddOf(value)
  for (let changes = random.int(4); changes > 0; changes -= 1) odd = mutate(odd, random)
  const bytes = Buffer.from(writeOdd(odd))
  return (random.chance(0.2) ? mutateBytes(bytes, random) : bytes).toString('utf8')
}

function read(text: string): { readonly value: Json } | null {
  try {
    return { value: parseJson(text) }
  } catch {
    return null
  }
}

law('every body that is JSON gives exactly one row of the classification, with its own id or none', (random) => {
  const message = draw(random)
  const text = bent(message.body, random)
  const body = read(text)
  if (body === null) return assert.throws(() => JSON.parse(text) as unknown)
  const named = new Map(message.headers)
  const some = (name: string) =>
    random.chance(0.9) ? named.get(name) : random.pick(['', 'x', '2025-11-25', undefined])
  const headers: EraHeaders = {
    version: some('mcp-protocol-version'),
    sessionId: some('mcp-session-id'),
    method: some('mcp-method'),
    name: some('mcp-name'),
  }
  const row = classify(body.value, headers)
  assert.ok(['request', 'notification', 'response', 'fault'].includes(row.kind))
  assert.is(row.era === 'modern', row.version === MODERN_VERSION)
  const id = row.kind === 'fault' ? row.id : row.message.kind === 'notification' ? null : row.message.id
  const ids = idsIn({ body: Buffer.from(text) })
  assert.ok(id === null || (!Array.isArray(body.value) && ids.includes(id)), `${JSON.stringify(id)} of ${text}`)
})

law('what was parsed is written as the same JSON, and no number shows how it travelled', (random) => {
  const text = bent(draw(random).body, random)
  const body = read(text)
  if (body === null || isDeeper(body.value, 2_000)) return
  const written = writeJson(body.value)
  assert.is(JSON.stringify(JSON.parse(written)), JSON.stringify(JSON.parse(text)))
  assert.not.ok(showsMark(written))
})

law('a stream gives the same events however its bytes are cut', (random) => {
  const lines = Array.from({ length: random.int(12) }, () => drawLine(random))
  const bytes = Buffer.from(lines.map((line) => `${line}${random.pick(['\n', '\r\n', '\r'])}`).join(''))
  const stream = random.chance(0.3) ? mutateBytes(bytes, random) : bytes
  const limit = random.chance(0.2) ? 40 : 10_000
  const whole = eventsOf([stream], limit)
  const cut = eventsOf(inPieces(stream, random), limit)
  // Whether a line is too long is seen at its end or before, by the way it comes.
  if (whole.overflows + cut.overflows === 0) assert.equal(cut, whole)
  for (const { overflows } of [whole, cut]) assert.ok(overflows <= 1)
})

const drawLine = (random: Random): string =>
  random.pick([
    '',
    '',
    'data: ',
    'data:',
    'data',
    'event: x',
    'event',
    'id: 7',
    'id: a\0b',
    'retry: 10',
    ': c',
    'nonsense',
  ]) +
  (random.chance(0.5)
    ? random.pick(['{"a":1}', 'größe 💶', '\u2028', '\ufeff', 'x'.repeat(random.int(60)), ' ', ':'])
    : '')

function eventsOf(pieces: readonly Buffer[], limit: number) {
  const events: SseEvent[] = []
  let overflows = 0
  const parser = createSseParser({ limit, onEvent: (event) => events.push(event), onOverflow: () => (overflows += 1) })
  for (const piece of pieces) parser.push(piece)
  return { events, overflows, lastEventId: parser.lastEventId, retry: parser.retry }
}

law('a text comes out of a header as it went in, and the ladder takes it for that text alone', (random) => {
  const text = drawText(random)
  const header = encodeHeaderValue(text)
  assert.match(header, /^[\x20-\x7e\t]*$/)
  assert.is(decodeHeaderValue(` ${header}\t`), text)
  const other = random.chance(0.5) ? text : drawText(random)
  assert.is(isTaken(other, header), other === text)
  const bentHeader = mutateBytes(Buffer.from(header), random).toString('latin1')
  const said = decodeHeaderValue(bentHeader)
  assert.is(isTaken(text, bentHeader), said === text)
})

/** As it stands in a body, which holds no half of a pair. */
const drawText = (random: Random): string =>
  Array.from({ length: random.int(12) }, () =>
    random.pick([
      'a',
      'B',
      '/',
      ' ',
      '\t',
      '\n',
      'ä',
      '💶',
      '\u0000',
      '=?base64?',
      '?=',
      'YQ==',
      '日',
      '\u007f',
      '\ufeff',
    ]),
  ).join('')

function isTaken(name: string, header: string): boolean {
  const _meta = { [META.version]: MODERN_VERSION, [META.capabilities]: {} }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, _meta } }
  const row = classify(body, { version: MODERN_VERSION, sessionId: undefined, method: 'tools/call', name: header })
  return row.kind === 'request'
}

const sealer = createTokenSealer([masterKey(Buffer.alloc(32, 7))], 'fuzz 1')

law(
  'a sealed state opens to what was sealed, for whom it was sealed; changed in any way it opens to nothing',
  (random) => {
    const plain = bent(draw(random).body, random)
    const bound = Array.from({ length: 1 + random.int(4) }, () => drawText(random))
    const token = sealer.seal(plain, bound)
    assert.is(sealer.open(token, bound), Buffer.from(plain).toString('utf8'))
    const at = random.int(bound.length)
    const others = [
      bound.map((part, n) => (n === at ? `${part}x` : part)),
      bound.filter((_, n) => n !== at),
      [...bound, ''],
    ]
    for (const other of others) assert.is(sealer.open(token, other), null)
    const changed = mutateBytes(Buffer.from(token), random).toString('latin1')
    if (changed !== token) assert.is(sealer.open(changed, bound), null)
  },
  0.2,
)

test.run()
