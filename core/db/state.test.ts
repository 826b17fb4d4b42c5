import { randomUUID } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { ensurePartitions } from './partitions.js'
import { createPluginStore, sweepPluginStore } from './repositories/plugin-store.js'
import { createSessionRows } from './repositories/sessions.js'
import { createStore } from './repositories/store.js'
import { createVerdictStore } from './repositories/verdicts.js'
import { fakeVault, gatewayDraft, migratedDatabase, serverDraft } from './testing.js'

const database = await migratedDatabase()
const { dataSource } = database
const store = createStore({ dataSource, vault: fakeVault })

const candidate = (assignmentId: string, upstreamName: string, wanted: readonly string[]) => ({
  kind: 'tool' as const,
  assignmentId,
  upstreamName,
  wanted,
})

test('a public name stays with the first comer; the next takes its next wish', async () => {
  const gateway = await store.gateways.insert(gatewayDraft('names'))
  const [a, b] = [randomUUID(), randomUUID()]
  await store.names.claim(gateway.id, [candidate(a, 'find', ['find', 'a__find'])])
  const all = await store.names.claim(gateway.id, [
    candidate(a, 'find', ['other']),
    candidate(b, 'find', ['find', 'b__find']),
    { ...candidate(b, 'find', ['find']), kind: 'prompt' },
    candidate(b, 'alone', ['find']),
  ])
  assert.equal(
    all.map(({ kind, assignmentId, name }) => [kind, assignmentId, name]),
    [
      ['tool', a, 'find'],
      ['tool', b, 'b__find'],
      ['prompt', b, 'find'],
    ],
  )
  assert.equal(await store.names.of(gateway.id), all)
})

test('two replicas that claim at once never give one name twice', async () => {
  const gateway = await store.gateways.insert(gatewayDraft('race'))
  const stores = [store, createStore({ dataSource: await database.open(), vault: fakeVault })]
  const owners = stores.map(() => randomUUID())
  const names = Array.from({ length: 40 }, (_, index) => `tool_${index}`)
  await Promise.all(
    names.flatMap((name) =>
      stores.map((each, index) =>
        each.names.claim(gateway.id, [candidate(owners[index] ?? '', name, [name, `s${index}__${name}`])]),
      ),
    ),
  )
  const all = await store.names.of(gateway.id)
  assert.is(all.length, 80)
  assert.is(new Set(all.map(({ name }) => name)).size, 80)
  for (const name of names) assert.is(all.filter((given) => given.name === name).length, 1, name)
})

test('the database itself refuses a second owner of a name', async () => {
  const gateway = await store.gateways.insert(gatewayDraft('backstop'))
  const insert = (owner: string) =>
    dataSource.query(
      `insert into public_names (gateway_id, kind, assignment_id, upstream_name, name) values ($1, 'tool', $2, 'x', 'x')`,
      [gateway.id, owner],
    )
  await insert(randomUUID())
  assert.match(await insert(randomUUID()).catch((error: Error) => error.message), 'public_names_name')
})

test('a name that cannot be stored costs no other its name; a long one is stored', async () => {
  const gateway = await store.gateways.insert(gatewayDraft('odd'))
  const owner = randomUUID()
  const long = `file:///${'x'.repeat(5_000)}`
  const given = await store.names.claim(gateway.id, [
    candidate(owner, 'nul\0', ['nul\0', 'nul']),
    candidate(owner, 'x'.repeat(9_000), ['far too long']),
    { ...candidate(owner, long, [long]), kind: 'resource' },
    candidate(owner, 'good', ['good']),
  ])
  assert.equal(given.map(({ upstreamName }) => upstreamName).toSorted(), [long, 'good'].toSorted())
})

test('sessions: made, found, changed, touched, ended, and gone with their gateway', async () => {
  const sessions = createSessionRows(dataSource)
  const host = await store.hosts.insert({
    managedBy: 'api',
    slug: 'h',
    title: 'h',
    kind: 'token',
    ownerId: null,
    enabled: true,
  })
  const gateway = await store.gateways.insert(gatewayDraft('sessions'))
  const connection = await store.connections.insert({
    managedBy: 'api',
    hostId: host.id,
    gatewayId: gateway.id,
    userId: null,
    enabled: true,
  })
  const row = {
    hash: 'a',
    userKey: 'u',
    version: '2025-11-25',
    connectionId: connection.id,
    gatewayId: gateway.id,
    client: { name: 'cli\0ent', version: null },
    capabilities: { roots: { listChanged: true }, odd: '\0' },
    logLevel: null,
    subscriptions: [],
    lastUsedAt: new Date(1_000),
  }
  for (const hash of ['a', 'b', 'c', 'd']) await sessions.create({ ...row, hash })
  assert.equal(await sessions.find(['a', 'z']), [{ ...row, client: { name: 'cli\ufffdent', version: null } }])
  assert.is((await sessions.find(['a', 'b', 'z'])).length, 2)
  const both = ['x:1', 'x:2'].map((subscribe) => sessions.change('a', { subscribe }))
  await Promise.all([...both, sessions.change('a', { logLevel: 'info' })])
  assert.is(await sessions.change('a', { subscribe: 'x:1' }), true)
  assert.equal((await sessions.find(['a']))[0]?.subscriptions, ['x:2', 'x:1'], 'each once')
  assert.is(await sessions.change('a', { unsubscribe: 'x:2' }), true)
  assert.equal((await sessions.find(['a']))[0]?.subscriptions, ['x:1'])
  assert.is((await sessions.find(['a']))[0]?.logLevel, 'info')
  assert.is(await sessions.change('z', { logLevel: 'info' }), false)
  for (const hash of ['e', 'f', 'g']) await sessions.create({ ...row, hash, userKey: 'v' })
  await sessions.touch('e', new Date(3_000))
  const uses = new Map([['g', new Date(9_000)]])
  assert.equal(await sessions.endBeyond('v', 2, uses), ['f'])
  assert.equal(await sessions.endBeyond('v', 1, uses), ['e'], 'a use that was not written down counts')
  assert.equal(await sessions.endBeyond('v', 1, new Map()), [])
  assert.is((await sessions.find(['a', 'b', 'c', 'd'])).length, 4, 'and nobody else lost one')
  await sessions.end('g')
  await sessions.touch('a', new Date(5_000))
  await sessions.touch('a', new Date(2_000))
  assert.equal((await sessions.find(['a']))[0]?.lastUsedAt, new Date(5_000))
  assert.is(await sessions.end('b'), true)
  assert.is(await sessions.end('b'), false)
  assert.is(await sessions.endIdle(new Date(5_000)), 2)
  await store.gateways.remove(gateway.id)
  assert.equal(await sessions.find(['a']), [])
})

test('a verdict is kept until the next one, and goes with its server', async () => {
  const verdicts = createVerdictStore<{ era: string; checkedAt: number }>(dataSource)
  const server = await store.servers.insert(serverDraft('verdict'))
  assert.is(await verdicts.get(server.id), null)
  await verdicts.set(server.id, { era: 'legacy', checkedAt: 1 })
  await verdicts.set(server.id, { era: 'modern', checkedAt: 2 })
  assert.equal(await verdicts.get(server.id), { era: 'modern', checkedAt: 2 })
  await store.servers.remove(server.id)
  assert.is(await verdicts.get(server.id), null)
})

test('a plugin sees its own keys only, and keeps to its limits', async () => {
  const [one, two] = [createPluginStore(dataSource, 'auth-one'), createPluginStore(dataSource, 'auth-two')]
  await one.set('k', 'first')
  await one.set('k', 'ä'.repeat(32_768))
  assert.is((await one.get('k'))?.length, 32_768)
  assert.is(await two.get('k'), undefined)
  await two.delete('k')
  assert.ok(await one.get('k'))
  await one.delete('k')
  assert.is(await one.get('k'), undefined)
  for (const [key, value] of [
    ['k'.repeat(257), ''],
    ['k', 'ä'.repeat(32_769)],
  ] as const)
    assert.is(await one.set(key, value).catch((error: { code: string }) => error.code), 'GH_API_INVALID')
})

test('what a plugin keeps for a while is gone when it is over, and is swept', async () => {
  const store = createPluginStore(dataSource, 'detect-one')
  await store.set('for good', '1')
  await store.set('long', '1', { ttlMs: 86_400_000 })
  for (const key of ['a', 'b', 'c']) await store.set(key, '1', { ttlMs: 1 })
  await until('it is over', async () => ((await store.get('c')) === undefined ? true : undefined))
  assert.is(await store.get('a'), undefined)
  await store.set('a', '2', { ttlMs: 86_400_000 })
  assert.is(await store.get('a'), '2')
  assert.equal([await sweepPluginStore(dataSource, 1), await sweepPluginStore(dataSource, 9)], [1, 1])
  assert.equal([await store.get('for good'), await store.get('long')], ['1', '1'])
  await store.set('long', '2')
  for (const ttlMs of [0, -1, NaN, 1e15])
    assert.is(await store.set('k', '1', { ttlMs }).catch((error: { code: string }) => error.code), 'GH_API_INVALID')
})

test('what a plugin made of a value is written only while that value stands', async () => {
  const store = createPluginStore(dataSource, 'detect-two')
  const other = createPluginStore(dataSource, 'detect-three')
  assert.is(await store.replace('k', { was: 'x', value: 'y' }), false)
  assert.is(await store.replace('k', { was: undefined, value: undefined }), true)
  assert.is(await store.replace('k', { was: undefined, value: '1' }), true)
  assert.is(await store.replace('k', { was: undefined, value: '2' }), false)
  assert.is(await store.replace('k', { was: undefined, value: undefined }), false)
  assert.is(await other.replace('k', { was: '1', value: '2' }), false, 'of another plugin')
  assert.is(await store.replace('k', { was: '1', value: '2' }), true)
  assert.is(await store.replace('k', { was: '1', value: '3' }), false)
  assert.is(await store.replace('k', { was: '1', value: undefined }), false)
  assert.is(await store.get('k'), '2')
  assert.is(await store.replace('k', { was: '2', value: undefined }), true)
  assert.is(await store.get('k'), undefined)
  const large = 'ä'.repeat(32_768)
  await store.set('k', large)
  assert.is(await store.replace('k', { was: large, value: `${large.slice(1)}ö` }), true)
  const refused = [{ value: `${large}ä` }, { value: 'x', ttlMs: 0 }]
  for (const one of refused)
    assert.is(
      await store.replace('k', { was: undefined, ...one }).catch((error: { code: string }) => error.code),
      'GH_API_INVALID',
    )
})

test('what has run out is nothing to whoever replaces it, swept or not', async () => {
  const store = createPluginStore(dataSource, 'detect-four')
  const isOver = (key: string) =>
    until('it is over', async () => ((await store.get(key)) === undefined ? true : undefined))
  for (const key of ['changed', 'deleted', 'made']) await store.set(key, '1', { ttlMs: 1 })
  for (const key of ['changed', 'deleted', 'made']) await isOver(key)
  assert.is(await store.replace('changed', { was: '1', value: '2' }), false)
  assert.is(await store.replace('deleted', { was: '1', value: undefined }), false)
  assert.is(await store.replace('deleted', { was: undefined, value: undefined }), true)
  assert.is(await store.replace('made', { was: undefined, value: '2' }), true)
  assert.is(await store.get('made'), '2', 'and for good')
  assert.is(await store.replace('made', { was: '2', value: '3', ttlMs: 1 }), true)
  await isOver('made')
})

test('of replicas that make something of the same value at once, one comes first', async () => {
  const stores = [dataSource, await database.open(), await database.open()].map((one) =>
    createPluginStore(one, 'detect-five'),
  )
  const add = async (store: (typeof stores)[number]): Promise<void> => {
    const was = await store.get('count')
    if (await store.replace('count', { was, value: `${Number(was ?? 0) + 1}` })) return
    await add(store)
  }
  await Promise.all(stores.flatMap((store) => Array.from({ length: 20 }, () => add(store))))
  assert.is(await stores[0]?.get('count'), '60')
  for (const { was, value } of [
    { was: '60', value: undefined },
    { was: undefined, value: '1' },
    { was: '1', value: '2' },
  ]) {
    const all = stores.flatMap((store) => Array.from({ length: 4 }, () => store.replace('count', { was, value })))
    assert.is((await Promise.all(all)).filter((isDone) => isDone).length, 1, `${was} to ${value}`)
  }
})

test('a message of a day without a partition is kept, and moves when its day is made', async () => {
  const insert = (at: string) =>
    dataSource.query(
      `insert into messages (at, id, outcome, duration_ms, legs)
       values ($1, gen_random_uuid(), 'mcp_response_error', 1.5, '[]')`,
      [at],
    )
  const placed = () =>
    dataSource.query('select tableoid::regclass::text as place, seq::int, failed from messages order by seq')
  for (const at of ['2026-03-01T00:00:00Z', '2026-03-01T23:59:59.999Z', '2026-03-02T00:00:00Z']) await insert(at)
  assert.equal(
    await placed(),
    [1, 2, 3].map((seq) => ({ place: 'messages_default', seq, failed: true })),
  )
  const other = await database.open()
  const made = await Promise.all([
    ensurePartitions(dataSource, '2026-02-28', '2026-03-01'),
    ensurePartitions(other, '2026-02-28', '2026-03-01'),
  ])
  assert.is(made[0] + made[1], 6, 'two days of three tables')
  assert.is(await ensurePartitions(dataSource, '2026-02-28', '2026-03-01'), 0)
  await insert('2026-03-01T12:00:00Z')
  assert.equal(
    (await placed()).map(({ place }: { place: string }) => place),
    ['messages_20260301', 'messages_20260301', 'messages_default', 'messages_20260301'],
  )
})

test.after(() => database.drop())
test.run()
