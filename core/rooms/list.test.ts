import { block, modify, pass, type FeatureList, type JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Fault } from '../hooks/settle.js'
import { open, plan, start, world, type World } from '../upstream/catalog-testing.js'
import { createList } from './list.js'
import { busWith, inSession } from './testing.js'

type Hook = (payload: FeatureList) => ReturnType<typeof pass> | ReturnType<typeof block> | ReturnType<typeof modify>

/** Two servers whose lists anyone may keep for a minute. */
function publicWorld(): World {
  const w = world()
  const whole = { ttlMs: 60_000, cacheScope: 'public', resultType: 'complete' }
  for (const [slug, tools] of [
    ['a', ['find', 'drop']],
    ['b', ['send']],
  ] as const) {
    w.upstreams.infos.set(slug, { era: 'modern' })
    w.upstreams.on(slug, 'tools/list', () => ({ tools: tools.map((name) => ({ name, 'x-kept': 1 })), ...whole }))
  }
  return w
}

async function ask(hook: Hook | null, { w = publicWorld(), era = 'modern' as 'modern' | 'legacy' } = {}) {
  const faults: Fault[] = []
  const bus = busWith(
    (registry) => {
      if (hook !== null) registry.add('p-test', 'feature.list', hook as never, 'normal')
    },
    (fault) => faults.push(fault),
  )
  const catalog = start(w)
  const limits = () => ({ list: 5_000 })
  const list = createList({ catalog, accessOf: () => open, mayHave: () => true, bus, limits })
  const deadline = w.clock.now + 60_000
  const result = await list(inSession(plan(['a', 'b']), { era, method: 'tools/list', deadline }))
  catalog.stop()
  return { result, faults, names: (result['tools'] as readonly JsonObject[]).map(({ name }) => name) }
}

test('without a hook the list is as the servers promise it', async () => {
  const { result, names } = await ask(null)
  assert.equal(names, ['find', 'drop', 'send'])
  assert.equal([result['cacheScope'], result['ttlMs'], result['resultType']], ['public', 60_000, 'complete'])
  assert.is(result['_meta'], undefined)
})

test('the legacy era has no promises', async () => {
  const { result } = await ask(null, { era: 'legacy' })
  assert.equal(Object.keys(result), ['tools'])
})

test('what a hook drops cannot be seen, and the list is nobody else’s from then on', async () => {
  const { result, names } = await ask(({ entries }) =>
    modify({ entries: entries.filter(({ name }) => name !== 'drop') }),
  )
  assert.equal(names, ['find', 'send'])
  assert.is(result['cacheScope'], 'private')
})

test('a list that a hook has only looked at is private too: it may tell callers apart', async () => {
  assert.is((await ask(() => pass())).result['cacheScope'], 'private')
})

test('a hook changes texts, and what it does not touch stays', async () => {
  const { result } = await ask(({ entries }) =>
    modify({ entries: entries.map((one) => ({ ...one, description: 'new' })) }),
  )
  assert.equal((result['tools'] as readonly JsonObject[])[0], { name: 'find', 'x-kept': 1, description: 'new' })
})

test('a hook cannot add what no server has, nor give it another name', async () => {
  const { names } = await ask(({ entries }) =>
    modify({
      entries: [...entries, { name: 'made-up' }, ...entries.map((one) => ({ ...one, name: `x-${String(one.name)}` }))],
    }),
  )
  assert.equal(names, ['find', 'drop', 'send'])
})

test('a hook sees one server at a time', async () => {
  const seen: unknown[] = []
  await ask(({ kind, server, gateway, principal, entries }) => {
    seen.push([kind, server.slug, gateway.slug, principal.host.name, entries.length])
    return pass()
  })
  assert.equal(seen, [
    ['tool', 'a', 'g', 'agent', 2],
    ['tool', 'b', 'g', 'agent', 1],
  ])
})

test('a hook that blocks one server leaves the others, and the list says which is missing and why', async () => {
  const { result, names } = await ask(({ server }) => (server.slug === 'a' ? block('Not today.') : pass()))
  assert.equal(names, ['send'])
  const mark = { server: 'a', state: 'missing', reason: 'Not today.', since: null }
  assert.equal(result['_meta'], { 'gatehouse/servers': [mark] })
  assert.is(result['ttlMs'], 0)
})

test('a hook that fails shows nothing of that server', async () => {
  const { names, faults } = await ask(({ server }) => {
    if (server.slug === 'b') throw new Error('no')
    return pass()
  })
  assert.equal(names, ['find', 'drop'])
  assert.equal(
    faults.map(({ hook, failure }) => [hook, failure]),
    [['feature.list', 'threw']],
  )
})

test('a tool of another era is listed in terms of the caller’s', async () => {
  const w = world()
  w.upstreams.infos.set('a', { era: 'modern' })
  w.upstreams.on('a', 'tools/list', () => ({
    tools: [{ name: 'find', inputSchema: {}, outputSchema: { type: 'array' }, execution: { taskSupport: 'required' } }],
  }))
  const [legacy, modern] = [await ask(null, { w, era: 'legacy' }), await ask(null, { w })]
  assert.equal(legacy.result['tools'], [{ name: 'find', inputSchema: { type: 'object' } }])
  assert.ok((modern.result['tools'] as readonly JsonObject[])[0]?.['execution'])
})

test('an app that a hook hides as a resource is not shown with its tool', async () => {
  const w = world()
  const tool = (name: string) => ({
    name,
    inputSchema: { type: 'object' },
    _meta: { ui: { resourceUri: `ui://${name}` } },
  })
  w.upstreams.on('a', 'tools/list', () => ({ tools: [tool('open'), tool('shut')] }))
  w.upstreams.lists('a', 'resources/list', ['ui://open', 'ui://shut'])
  const hook: Hook = ({ kind, entries }) =>
    kind === 'resource' ? modify({ entries: entries.filter(({ uri }) => uri !== 'ui://shut') }) : pass()
  const { result } = await ask(hook, { w })
  assert.equal(
    (result['tools'] as readonly JsonObject[]).map(({ name, _meta }) => [name, _meta]),
    [
      ['open', { ui: { resourceUri: 'ui://open' } }],
      ['shut', { ui: {} }],
    ],
  )
})

test('when no server can be listed that is an error, not an empty list', async () => {
  const w = publicWorld()
  w.upstreams.fails('a', 'tools/list').fails('b', 'tools/list')
  const error = await ask(null, { w }).then(
    () => null,
    (thrown: { code: string; data: object }) => thrown,
  )
  assert.is(error?.code, 'GH_UPSTREAM_UNREACHABLE')
})

test.run()
