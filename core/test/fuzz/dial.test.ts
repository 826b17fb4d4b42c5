// time-limit: 240
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../../errors.js'
import { entry, open, plan, start, world } from '../../upstream/catalog-testing.js'
import { DISCOVERY, fakeServer, INITIALIZED, makeRequest, makeTarget, makeUpstreams } from '../../upstream/testing.js'
import type { FakeServer, Seen } from '../../upstream/testing.js'
import { runAll, mustBeNone, type Finding } from './crew.js'
import { inPieces, mutateBytes } from './odd-bytes.js'
import { ABYSSES, mutate, oddOf, writeOdd, type Odd } from './odd-json.js'
import { casesOf, SEED, type Case } from './plan.js'
import { randomOf, type Random } from './random.js'

/** What nobody awaited. A gateway would only log it. */
const unhandled: unknown[] = []
process.on('unhandledRejection', (thrown) => unhandled.push(thrown))

const TIMING = { dial: 400, sideStream: 30, reopen: 5, reopenMost: 20, listenSilence: 200, reprobe: 10, idle: 60_000 }
const LONGEST_MS = 4_000

let server: FakeServer
test.before(async () => {
  server = await fakeServer(hostile)
})
test.after(() => server.stop())

const caseOf = ({ headers }: Seen) => Number(headers['x-case'])

/** The way in: discovery, initialize, lists and the side stream, with something wrong. */
function hostile(seen: Seen): void {
  const { res, verb, body, headers } = seen
  const random = randomOf(SEED, 'dial server', caseOf(seen), verb, String(body['method']))
  if (random.chance(0.05)) return void res.destroy()
  if (verb === 'GET') return sideStream(seen, random)
  if (verb !== 'POST' || !('id' in body)) return void res.writeHead(random.pick([200, 202, 202, 404, 500])).end()
  const good = {
    jsonrpc: '2.0',
    id: body['id'],
    result: resultOf(String(body['method']), headers['x-era'] === 'modern'),
  }
  let said: Odd = oddOf(good)
  for (let changes = random.int(4); changes > 0; changes -= 1) said = mutate(said, random)
  const text = Buffer.from(writeOdd(said))
  const bytes = random.chance(0.1) ? mutateBytes(text, random) : text
  const session = random.pick(['s1', '', 'ü', 'a b', 'x'.repeat(3_000)])
  const isStream = random.chance(0.2)
  res.writeHead(random.chance(0.85) ? 200 : random.pick([202, 400, 401, 404, 405, 406, 429, 500, 503]), {
    'content-type': isStream
      ? 'text/event-stream'
      : random.pick(['application/json', 'application/json', 'text/plain']),
    ...(random.chance(0.7) ? { 'mcp-session-id': Buffer.from(session).toString('latin1') } : {}),
  })
  const pieces = isStream ? inPieces(Buffer.from(`id: ü\ndata: ${bytes.toString('utf8')}\n\n`), random) : [bytes]
  for (const piece of pieces) res.write(piece)
  res.end()
}

function sideStream({ res }: Seen, random: Random): void {
  if (random.chance(0.4)) return void res.writeHead(random.pick([405, 404, 500, 200])).end()
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  // Where the endpoint of 2024-11-05 is said to be; most of it is none that may be taken.
  if (random.chance(0.3))
    res.write(`event: endpoint\ndata: ${random.pick(['/mcp?id=1', '', '//x', 'http://127.0.0.1:1/', 'ü', '{}'])}\n\n`)
  const note = oddOf({ jsonrpc: '2.0', id: 1, method: 'notifications/tools/list_changed', params: {} })
  const text = `id: ${random.pick(['1', 'ü', ''])}\ndata: ${writeOdd(mutate(note, random))}\n\n`
  res.end(random.chance(0.7) ? text : text.slice(0, random.int(text.length)))
}

function resultOf(method: string, isModern: boolean): object {
  if (method === 'server/discover') return DISCOVERY
  if (method === 'initialize') return INITIALIZED
  const tools = [{ name: 'act', inputSchema: { type: 'object', properties: { a: { type: 'string' } } } }]
  const modern = isModern ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' } : {}
  return { ...modern, tools, content: [], nextCursor: 'n' }
}

test('whatever a server says when it is dialled, the caller is told what is wrong in time, and nothing breaks', async () => {
  const upstreams = makeUpstreams({ timing: TIMING })
  const dial = async ({ number, random }: Case): Promise<Finding | null> => {
    const protocol = random.pick(['auto', 'auto', 'modern', 'legacy', 'sse'] as const)
    const headers = {
      'x-case': String(number),
      'x-era': protocol === 'legacy' ? 'legacy' : random.pick(['modern', 'legacy']),
    }
    const target = makeTarget(
      { id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`, url: server.url, protocol },
      { headers },
    )
    const method = random.pick(['tools/call', 'tools/list'])
    const started = Date.now()
    const request = makeRequest({ method, deadline: Date.now() + 1_000, hardDeadline: Date.now() + 1_500 })
    const thrown: unknown = await upstreams.request(target, request).then(
      () => null,
      (error: unknown) => error,
    )
    const took = Date.now() - started
    await upstreams.forget(target.server.id)
    const breaches = [
      ...(thrown === null || thrown instanceof GatehouseError ? [] : [`it threw ${String((thrown as Error).stack)}`]),
      ...(took < LONGEST_MS ? [] : [`it took ${took} ms`]),
    ]
    return breaches.length === 0
      ? null
      : { number, breaches, shown: `  ${protocol} ${method} ${JSON.stringify(headers)}` }
  }
  const findings = await runAll(casesOf('dial'), 16, dial)
  await upstreams.stop()
  mustBeNone('dial', findings)
  assert.equal(unhandled, [])
})

const LISTS = [
  ['tools/list', 'tools', 'tools'],
  ['prompts/list', 'prompts', 'prompts'],
  ['resources/list', 'resources', 'resources'],
  ['resources/templates/list', 'resourceTemplates', 'templates'],
] as const

test('whatever a server lists, the lists of the others stand, and its own next good one does', async () => {
  const show = async ({ number, random }: Case): Promise<Finding | null> => {
    const w = world({ list: 300 })
    const [method, field, kind] = random.pick(LISTS)
    let answer: JsonObject = drawList(method, field, random)
    w.upstreams.on('odd', method, () => answer).lists('good', method, ['one'])
    const catalog = start(w)
    const both = plan(['odd', 'good'])
    const list = () => catalog.list(both, kind, open, w.clock.now + 2_000)
    const first = await list().catch((error: unknown) => error)
    answer = { [field]: [entry(method, 'mended')] }
    catalog.drop('server-odd', [kind])
    const second = await list().catch((error: unknown) => error)
    const breaches = [...missing(first, ['one']), ...missing(second, ['one', 'mended'])]
    return breaches.length === 0 ? null : { number, breaches, shown: `  ${method}` }
  }
  const findings = await runAll(casesOf('dial'), 16, show)
  mustBeNone('dial', findings)
  assert.equal(unhandled, [])
})

function drawList(method: string, field: string, random: Random): JsonObject {
  const good = { [field]: Array.from({ length: 3 }, (_, n) => entry(method, `n${n}`)), nextCursor: undefined }
  const isAbyss = random.chance(0.02)
  let odd = oddOf(isAbyss ? { [field]: [{ ...entry(method, 'deep'), inputSchema: 0 }] } : good)
  for (let changes = isAbyss ? 0 : random.int(4); changes > 0; changes -= 1) odd = mutate(odd, random)
  const text = writeOdd(odd).replace('"inputSchema":0', `"inputSchema":${writeOdd(random.pick(ABYSSES))}`)
  const value = JSON.parse(text) as unknown
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {}
}

function missing(listing: unknown, names: readonly string[]): readonly string[] {
  if (!isListing(listing)) return [`it threw ${String((listing as Error).stack)}`]
  const shown = listing.items.map(({ feature }) => feature.name)
  return names.filter((name) => !shown.includes(name)).map((name) => `'${name}' is not shown, but ${shown.join()}`)
}

const isListing = (
  value: unknown,
): value is { readonly items: readonly { readonly feature: { readonly name: string } }[] } =>
  typeof value === 'object' && value !== null && 'items' in value

test.run()
