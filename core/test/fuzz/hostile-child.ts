import type { JsonObject } from '@gatehouse/sdk'
import { keyOf } from './canaries.js'
import { CAPABILITIES } from './canary-server.js'
import { caseOf } from './hostile.js'
import { hostileAnswers, type Sayings } from './hostile-answers.js'
import { inPieces, mutateBytes } from './odd-bytes.js'
import { writeOdd, type Odd } from './odd-json.js'
import { randomOf, type Random } from './random.js'
import { DISCOVERY, INITIALIZED } from '../../upstream/testing.js'

/**
 * A server that is a command: `modern` and `legacy` answer the tool `<kind>-act` as the case says that stands in its
 * arguments; `chatty` means well, but writes to its log for as long as a call takes, and does not stop when it is told to.
 */
const [kind = 'legacy', seed = ''] = process.argv.slice(2)
const era = kind === 'modern' ? 'modern' : 'legacy'
const key = keyOf('all')
const rounds = new Map<number, number>()

const say = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

function hear(line: string): void {
  const body = JSON.parse(line) as JsonObject
  if (typeof body['method'] !== 'string' || !('id' in body)) return
  const params = (body['params'] ?? {}) as JsonObject
  const result = own(body['method'])
  const number = caseOf(params)
  if (result !== undefined) return void say({ id: body['id'], result })
  if (body['method'] !== 'tools/call')
    return void say({ id: body['id'], error: { code: -32601, message: 'Method not found' } })
  if (kind === 'chatty') return void chat(body, params)
  const random = randomOf(seed, 'stdio server', kind, number ?? -1, count(number ?? -1))
  // What is slow overlaps with others, and may come when nobody waits for it any more.
  setTimeout(() => misdo(hostileAnswers({ era, key, body, params }, random), random), random.pick([0, 0, 5, 30]))
}

function own(method: string): object | undefined {
  if (method === 'initialize' && era === 'legacy') return { ...INITIALIZED, capabilities: CAPABILITIES }
  if (method === 'server/discover' && era === 'modern') return { ...DISCOVERY, capabilities: CAPABILITIES }
  if (method !== 'tools/list') return undefined
  const tools = [{ name: `${kind}-act`, description: key, inputSchema: { type: 'object' } }]
  return era === 'modern' ? { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private', tools } : { tools }
}

function count(number: number): number {
  const round = rounds.get(number) ?? 0
  rounds.set(number, round + 1)
  return round
}

function misdo(sayings: Sayings, random: Random): void {
  const messages: Odd[] = Array.from({ length: random.int(3) }, () => sayings.aside())
  if (random.chance(0.25)) messages.push(sayings.wrong())
  if (random.chance(0.98)) messages.push(random.chance(0.8) ? sayings.good : sayings.bent())
  if (random.chance(0.1)) messages.push(sayings.good)
  const lines = messages.map((message) => `${writeOdd(message)}${random.pick(['\n', '\n', '\r\n', ' \n\n'])}`)
  const bytes = Buffer.from(lines.join(''))
  // What loses its end of line takes the next one along: that ends a call by its time.
  const bent = random.chance(0.05) ? Buffer.concat([mutateBytes(bytes, random), Buffer.from('\n')]) : bytes
  for (const piece of inPieces(bent, random)) process.stdout.write(piece)
}

async function chat(body: JsonObject, params: JsonObject): Promise<void> {
  for (let line = 0; line < 4; line += 1) {
    say({ method: 'notifications/message', params: { level: 'info', data: params['arguments'] ?? null } })
    await new Promise((resolve) => setTimeout(resolve, 12))
  }
  say({ id: body['id'], result: { content: [{ type: 'text', text: key }], saw: params['arguments'], key } })
}

let rest = ''
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  const lines = (rest + text).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) if (line !== '') hear(line)
})
