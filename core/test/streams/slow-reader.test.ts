// time-limit: 120
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { META, MODERN_VERSION } from '../../mcp/versions.js'
import { call, openSession } from '../door.js'
import { fakeUpstream, params, sendEvent, startStream, yamlOf, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

const RESULT = { content: [{ type: 'text', text: 'poured' }] }

interface Poured {
  notes: number
  stopped: boolean
}
const poured = new Map<unknown, Poured>()

/** Log notes of 8 KiB and progress as fast as they are taken, until a test stops it; then the answer. */
function pour(seen: Seen): void {
  const state: Poured = { notes: 0, stopped: false }
  poured.set((params(seen)['arguments'] as JsonObject)['as'], state)
  startStream(seen)
  const token = (params(seen)['_meta'] as JsonObject)['progressToken'] as number
  const noteAt = (n: number): object =>
    n % 2 === 0
      ? { method: 'notifications/progress', params: { progressToken: token, progress: n } }
      : { method: 'notifications/message', params: { level: 'error', data: `${n} ${'x'.repeat(8_192)}` } }
  const next = () => {
    while (!state.stopped && !seen.res.destroyed) {
      state.notes += 1
      const event = `data: ${JSON.stringify({ jsonrpc: '2.0', ...noteAt(state.notes) })}\n\n`
      if (!seen.res.write(event)) return seen.res.once('drain', next)
    }
    sendEvent(seen, { id: seen.body['id'], result: RESULT })
    return seen.res.end()
  }
  next()
}

let server: FakeServer
let gateway: RunningGateway
test.before(async () => {
  server = await fakeUpstream(pour, { era: 'legacy' })
  gateway = await startGateway({ yaml: yamlOf({ one: server }) })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

/** A call whose answer is not read until its client likes to. */
function callUnread(access: Access, message: JsonObject, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(access.url, {
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${access.token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
    })
    sent.on('response', resolve).on('error', reject)
    sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }))
  })
}

const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]) / 1024

async function heldUp(as: string): Promise<Poured> {
  let before = -1
  let still = 0
  return until('the server is held up', () => {
    const state = poured.get(as)
    still = state !== undefined && state.notes === before ? still + 1 : 0
    before = state?.notes ?? -1
    return still > 20 ? state : undefined
  })
}

/** Everything that comes, as messages. */
async function readOn(answer: IncomingMessage): Promise<JsonObject[]> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk as string
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as JsonObject] : []))
}

const meta = (own: JsonObject): JsonObject => ({ ...own, progressToken: 'mine' })
const named = (as: string, own: JsonObject = {}): JsonObject => {
  const { method, params: given } = call('act', { as }) as { method: string; params: JsonObject }
  return { method, params: { ...given, _meta: meta(own) } }
}

for (const client of ['2025-11-25', '2025-06-18', 'modern'] as const)
  test(`a client (${client}) that does not read holds its server up, and misses nothing that counts`, async () => {
    const access = await gateway.mintToken({ gateway: 'house', host: `slow-${client}` })
    const modern = {
      [META.version]: MODERN_VERSION,
      [META.capabilities]: {},
      [META.logLevel]: 'debug',
    }
    const headers: Record<string, string> =
      client === 'modern'
        ? { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'act' }
        : { 'mcp-session-id': await openSession(access, client), 'mcp-protocol-version': client }
    const answer = await callUnread(access, named(client, client === 'modern' ? modern : {}), headers)
    const atFirst = memory()
    const state = await heldUp(client)
    assert.ok(state.notes * 4 < 64 * 1024, `${state.notes} notes were taken`)
    assert.ok(memory() - atFirst < 64, `${memory() - atFirst} MiB more`)
    const read = readOn(answer)
    const before = state.notes
    await until('the server goes on', () => (state.notes > before + 100 ? true : undefined))
    state.stopped = true
    const messages = await read
    const { content } = { ...(messages.at(-1)?.['result'] as JsonObject | undefined) }
    assert.equal(content, RESULT.content)
    const steps = messages.flatMap(({ method, params: given }) =>
      method === 'notifications/progress' ? [(given as JsonObject)['progress'] as number] : [],
    )
    assert.equal(
      steps.toSorted((a, b) => a - b),
      steps,
      'progress never steps back',
    )
    const last = state.notes - (state.notes % 2)
    assert.is(steps.at(-1), last, 'the newest progress came')
  })

test('others are served while one does not read', async () => {
  const access = await gateway.mintToken({ gateway: 'house', host: 'slow-other' })
  const session = await openSession(access)
  const headers = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }
  const unread = await callUnread(access, named('unread'), headers)
  await heldUp('unread')
  const read = await callUnread(access, named('read'), headers)
  const messages = readOn(read)
  const state = await until('it is under way', () => poured.get('read'))
  await until('it flows', () => (state.notes > 2_000 ? true : undefined))
  state.stopped = true
  assert.ok((await messages).at(-1)?.['result'])
  unread.destroy()
})

test.run()
