import type { JsonObject } from '@gatehouse/sdk'
import { hostileAnswers, type Sayings } from './hostile-answers.js'
import type { Told } from './canary-server.js'
import { inPieces, mutateBytes } from './odd-bytes.js'
import { writeOdd, type Odd } from './odd-json.js'
import { randomOf, type Random } from './random.js'
import { SEED } from './plan.js'

/** Longer than a call may be silent before this house. */
const HANG_MS = 2_500
const JSON_TYPE = { 'content-type': 'application/json' }
const TYPES = ['text/html', 'application/json; charset=utf-16', 'text/event-stream', 'Application/JSON', '', 'a/b; c="']
const STATUSES = [201, 202, 204, 301, 307, 400, 404, 405, 409, 418, 422, 500, 502, 503]

/** How often a case was called: each round of it is another. */
const rounds = new Map<number, number>()

/** How many cases have come this far. */
export const reached = (): number => rounds.size

/** Answers the tool `act` as the case says that stands in its arguments; every other tool as it should be. */
export function answerHostile(told: Told, number: number): void {
  const round = rounds.get(number) ?? 0
  rounds.set(number, round + 1)
  const random = randomOf(SEED, 'http server', number, round)
  const sayings = hostileAnswers(told, random)
  // Whoever asks for ever is given up at some time, and costs time until then.
  if (round > 2 || random.chance(0.3)) return answer(told, writeOdd(sayings.good))
  if (random.chance(0.45)) return inStream(told, sayings, random)
  if (random.chance(0.8)) return inBody(told, sayings, random)
  noAnswer(told, random)
}

function answer({ res }: Told, text: string | Buffer, headers = JSON_TYPE, status = 200): void {
  res.writeHead(status, headers)
  res.end(text)
}

function inBody(told: Told, sayings: Sayings, random: Random): void {
  const said = Buffer.from(writeOdd(random.chance(0.5) ? sayings.bent() : sayings.wrong()))
  const bytes = random.chance(0.3) ? mutateBytes(said, random) : said
  switch (random.int(8)) {
    case 0:
      return answer(told, bytes, { 'content-type': random.pick(TYPES) })
    case 1:
      return withStatus(told, bytes, random)
    case 2:
      return drip(told, bytes, random)
    default:
      return answer(told, bytes)
  }
}

function withStatus(told: Told, bytes: Buffer, random: Random): void {
  const status = random.pick(STATUSES)
  if (status === 204) return void told.res.writeHead(204).end()
  const location = random.chance(0.5) ? { location: 'http://127.0.0.1:1/' } : {}
  answer(told, random.chance(0.3) ? '' : bytes, { ...JSON_TYPE, ...location }, status)
}

function drip({ res }: Told, bytes: Buffer, random: Random): void {
  res.writeHead(200, { ...JSON_TYPE, ...(random.chance(0.5) ? { 'content-length': String(bytes.length) } : {}) })
  for (const piece of inPieces(bytes, random)) res.write(piece)
  res.end()
}

/** Rare, since each is taken for a sign that the server is down. */
function noAnswer(told: Told, random: Random): void {
  const { res } = told
  switch (random.int(12)) {
    case 0:
      return answer(told, 'no', { ...JSON_TYPE, ...challenge(random) }, random.pick([401, 403]))
    case 1:
      return answer(told, '', { ...JSON_TYPE, ...{ 'retry-after': random.pick(['0', '-1', 'soon', '1.5']) } }, 429)
    case 2:
      return void setTimeout(() => res.destroy(), HANG_MS)
    case 3:
      res.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' })
      return void res.write('{"jsonrpc":', () => res.destroy())
    case 4:
      return void res.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}')
    case 5:
      return void res.socket?.end('\u0000\u00ff no HTTP at all\r\n\r\n')
    default:
      return void res.destroy()
  }
}

const challenge = (random: Random): Record<string, string> =>
  random.chance(0.5) ? { 'www-authenticate': 'Bearer error="invalid_token", scope="\u00e9"' } : {}

const ENDS = ['\n\n', '\r\n\r\n', '\r\r', '\n\r\n']
const LINES = [': comment', 'retry: 1', 'retry: x', 'event: message', 'event: other', 'nonsense', 'data', ':', 'id']

/** Notes, questions and answers, those of others too, in a stream that may be bent and may end anywhere. */
function inStream(told: Told, sayings: Sayings, random: Random): void {
  const messages = Array.from({ length: random.int(5) }, () => sayings.aside())
  if (random.chance(0.2)) messages.push(sayings.wrong())
  if (random.chance(0.85)) messages.push(random.chance(0.6) ? sayings.good : sayings.bent())
  if (random.chance(0.15)) messages.push(sayings.good)
  if (random.chance(0.1)) messages.push(sayings.aside())
  const bytes = Buffer.concat(messages.map((message) => eventOf(message, random)))
  const bent = random.chance(0.1) ? mutateBytes(bytes, random) : bytes
  const { res } = told
  res.writeHead(200, { 'content-type': random.chance(0.9) ? 'text/event-stream' : 'text/event-stream;charset=utf-8' })
  for (const piece of inPieces(random.chance(0.05) ? bent.subarray(0, random.int(bent.length + 1)) : bent, random))
    res.write(piece)
  // A stream that is left open must not hold the call that it has answered.
  if (random.chance(0.03)) setTimeout(() => res.destroy(), HANG_MS)
  else if (random.chance(0.05)) res.destroy()
  else res.end()
}

function eventOf(message: Odd, random: Random): Buffer {
  const text = writeOdd(message)
  const before = random.chance(0.3) ? `${random.pick(LINES)}${random.pick(['\n', '\r\n', '\r'])}` : ''
  const id = random.chance(0.05) ? `id: ${random.pick(['0', 'e1', '\u00e9', '', 'x'.repeat(300)])}\n` : ''
  const data = random.chance(0.1) ? cutInLines(text) : `data:${random.chance(0.8) ? ' ' : ''}${text}`
  return Buffer.from(`${before}${id}${data}${random.pick(ENDS)}`)
}

/** One message over several data lines: whitespace of JSON is a fine place for a cut. */
const cutInLines = (text: string): string =>
  text
    .replace(/^\{/, '{\n')
    .replace(/\}$/, '\n}')
    .split('\n')
    .map((line) => `data: ${line}`)
    .join('\n')

export const caseOf = (params: JsonObject): number | null => {
  const given = params['arguments'] as JsonObject | undefined
  const number = given?.['case']
  return typeof number === 'number' ? number : null
}
