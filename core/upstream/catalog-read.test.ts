import type { Json, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NO_ABILITY } from './ability.js'
import { readList } from './catalog-read.js'
import { FakeUpstreams, infosOf, server } from './catalog-testing.js'
import type { Answer } from './catalog-testing.js'

const secrets = async () => ({ headers: {}, env: {} })
const target = { server: server('a'), key: 'public', ability: NO_ABILITY, secrets }
const NOTHING = { deadline: Date.now() + 60_000, signal: new AbortController().signal, log: { warn: () => {} } }
const read = (upstreams: FakeUpstreams) =>
  readList(target, 'tools', { ...NOTHING, upstreams, infos: infosOf(upstreams) })
const readAnswer = (answer: Answer) => read(new FakeUpstreams().on('a', 'tools/list', answer))
const names = (entries: readonly JsonObject[]) => entries.map(({ name }) => name)

test('all pages are read, in order', async () => {
  const pages: Record<string, JsonObject> = {
    '': { tools: [{ name: 'a' }], nextCursor: 'two' },
    two: { tools: [{ name: 'b' }], nextCursor: 'three' },
    three: { tools: [{ name: 'c' }] },
  }
  const list = await readAnswer(({ params }) => pages[String(params.cursor ?? '')] ?? {})
  assert.equal([names(list.entries), list.bytes, list.flaw], [['a', 'b', 'c'], 30, null])
})

test('a cursor that comes back ends the walk', async () => {
  let page = 0
  const list = await readAnswer(() => ({ tools: [{ name: `t${page++}` }], nextCursor: 'same' }))
  assert.equal(names(list.entries), ['t0', 't1'])
})

test('a server that never ends is cut at a hundred pages, and at ten thousand entries', async () => {
  let page = 0
  const long = await readAnswer(() => ({ tools: [{ name: `t${page++}` }], nextCursor: `c${page}` }))
  assert.is(long.entries.length, 100)
  assert.match(long.flaw ?? '', /too long/)
  const wide = await readAnswer(() => ({
    tools: Array.from({ length: 6_000 }, () => ({ name: `t${page++}` })),
    nextCursor: `c${page}`,
  }))
  assert.is(wide.entries.length, 10_000)
  assert.match(wide.flaw ?? '', /too long/)
})

test('a server of few but huge pages is cut before they fill the memory', async () => {
  const upstreams = new FakeUpstreams()
  let page = 0
  const request = async (...[to, request]: Parameters<FakeUpstreams['request']>) => {
    const reply = await upstreams.request(to, request)
    return { ...reply, bytesReceived: 30 * 1024 * 1024 }
  }
  upstreams.on('a', 'tools/list', () => ({ tools: [{ name: `t${page++}` }], nextCursor: `c${page}` }))
  const list = await readList(target, 'tools', { ...NOTHING, upstreams: { request }, infos: infosOf(upstreams) })
  assert.equal([list.entries.length, list.flaw], [3, 'the list is too long and was cut'])
})

test('entries without a name of their own are left out and counted', async () => {
  const odd = [{ name: 'ok' }, {}, { name: 7 }, null, 'text', { name: '' }, { name: 'ok', other: true }]
  const list = await readAnswer(() => ({ tools: odd }))
  assert.equal(list.entries, [{ name: 'ok' }])
  assert.is(list.flaw, '6 entries without a name of their own, or nested beyond reason, were left out')
})

test('an entry that is nested beyond reason is left out, and takes no other along', async () => {
  const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Json
  const tools = [{ name: 'a' }, { name: 'b', inputSchema: nested(9_000) }, { name: 'c', inputSchema: nested(60) }]
  const list = await readAnswer(() => ({ tools }))
  assert.equal(names(list.entries), ['a', 'c'])
  assert.match(list.flaw ?? '', /1 entries/)
})

test('a name that no database can keep is left out, an unusual one is not', async () => {
  const odd = ['a\0b', 'lone \ud800', 'x'.repeat(5_000)].map((name) => ({ name }))
  const list = await readAnswer(() => ({ tools: [...odd, { name: 'søk 🙂' }] }))
  assert.equal(names(list.entries), ['søk 🙂'])
})

test('an answer that is no list breaks the protocol', async () => {
  for (const tools of [undefined, null, {}, 'text'])
    try {
      await readAnswer(() => ({ tools }))
      assert.unreachable()
    } catch (error) {
      assert.is((error as { code?: string }).code, 'GH_UPSTREAM_PROTOCOL')
    }
})

test('a server that claims the capability but lacks the method has an empty list', async () => {
  assert.equal((await read(new FakeUpstreams())).entries, [])
})

test('a tool whose arguments cannot be mirrored as it demands is not offered', async () => {
  const bad = {
    name: 'bad',
    inputSchema: { type: 'object', properties: { a: { type: 'object', 'x-mcp-header': 'A' } } },
  }
  const good = {
    name: 'good',
    inputSchema: { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': 'A' } } },
  }
  assert.equal(names((await readAnswer(() => ({ tools: [bad, good] }))).entries), ['good'])
})

test('a modern server’s time to live is believed within a day, and kept from below zero', async () => {
  for (const [said, kept] of [
    [5_000, 5_000],
    [0, 0],
    [-1, 0],
    [1e12, 86_400_000],
    ['soon', 60_000],
  ] as const) {
    const upstreams = new FakeUpstreams().on('a', 'tools/list', () => ({ tools: [], ttlMs: said }))
    upstreams.infos.set('a', { era: 'modern' })
    assert.is((await read(upstreams)).ttlMs, kept)
  }
})

test.run()
