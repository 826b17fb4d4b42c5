import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { accessAs, accessBut, entry, open, plan, server, start, world } from './catalog-testing.js'
import type { World } from './catalog-testing.js'
import type { Catalog, Listing } from './catalog.js'
import type { Access } from './catalog-types.js'
import type { Target } from './types.js'

const TOOLS = 'tools/list'
const MINUTE = 60_000
const soon = (w: World) => w.clock.now + 60_000
const tools = (w: World, catalog: Catalog, of: ReturnType<typeof plan>, access: Access = open) =>
  catalog.list(of, 'tools', access, soon(w))
const names = (listing: Listing) => listing.items.map(({ entry }) => entry.name)
const states = (listing: Listing) => listing.servers.map(({ server, state }) => `${server} ${state}`)
const never = () => new Promise<JsonObject>(() => {})

/** A promise and the way to settle it. */
function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

test('features stand in gateway order, then in each server’s own', async () => {
  const w = world()
  w.upstreams.lists('b', TOOLS, ['zeta', 'alpha']).lists('a', TOOLS, ['mid'])
  const listing = await tools(w, start(w), plan(['b', 'a']))
  assert.equal(names(listing), ['zeta', 'alpha', 'mid'])
  assert.equal(listing.servers, [])
  assert.is(listing.failed, null)
})

test('an entry keeps its unknown keys, and only its name changes', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['find'])
  const { items } = await tools(w, start(w), plan(['a', 'b']))
  assert.equal(items[0]?.entry, entry(TOOLS, 'find'))
  assert.equal(items[1]?.entry, { ...entry(TOOLS, 'find'), name: 'b__find' })
  assert.is(items[1]?.feature.name, 'find')
  assert.equal(items[1]?.feature.definition, entry(TOOLS, 'find'))
})

test('the first comer keeps its bare name whatever the order after a restart', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['find'])
  assert.equal(names(await tools(w, start(w), plan(['a', 'b']))), ['find', 'b__find'])
  assert.equal(names(await tools(w, start(w), plan(['b', 'a']))), ['b__find', 'find'])
  assert.equal(names(await tools(w, start(w), plan(['b']))), ['b__find'])
})

test('a server that was away when another took the name gets the prefixed one, for ever', async () => {
  const w = world()
  w.upstreams.fails('a', TOOLS).lists('b', TOOLS, ['find'])
  const catalog = start(w)
  const both = plan(['a', 'b'])
  assert.equal(names(await tools(w, catalog, both)), ['find'])
  w.upstreams.lists('a', TOOLS, ['find'])
  w.clock.now += MINUTE
  assert.equal(names(await tools(w, catalog, both)), ['a__find', 'find'])
})

test('the same server twice is told apart by `as`, and asked once', async () => {
  const w = world()
  w.upstreams.lists('crm', TOOLS, ['find'])
  const crm = server('crm')
  const both = plan([
    { server: crm, as: 'crm-mine' },
    { server: crm, as: 'crm-shared' },
  ])
  const { items } = await tools(w, start(w), both)
  assert.equal(
    items.map(({ entry, feature }) => [entry.name, feature.assignment.prefix]),
    [
      ['find', 'crm-mine'],
      ['crm-shared__find', 'crm-shared'],
    ],
  )
  assert.is(w.upstreams.timesAsked('crm'), 1)
})

test('a long name is cut to 64 only when it needs its prefix', async () => {
  const w = world()
  const long = 'n'.repeat(90)
  w.upstreams.lists('a', TOOLS, [long]).lists('b', TOOLS, [long])
  const [first, second] = names(await tools(w, start(w), plan(['a', 'b'])))
  assert.is(first, long)
  assert.match(String(second), /^b__n{52}_[0-9a-f]{8}$/)
})

test('the prefix of a gateway may stand always or never', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  assert.equal(names(await tools(w, start(w), plan(['a'], { id: 'g1', prefix: 'always' }))), ['a__find'])
  assert.equal(names(await tools(w, start(w), plan(['a'], { id: 'g2', prefix: 'never' }))), ['find'])
})

test('names are claimed once, and a fresh list is served from memory', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const catalog = start(w)
  const first = await tools(w, catalog, plan(['a']))
  const second = await tools(w, catalog, plan(['a']))
  assert.equal(names(second), names(first))
  assert.is(w.names.claims, 1)
  assert.is(w.upstreams.timesAsked('a'), 1)
  assert.equal(
    [first, second].map(({ perServer }) => perServer.map(({ asked, bytes, state }) => [asked, bytes, state])),
    [[[true, 10, 'ok']], [[false, 0, 'ok']]],
  )
})

test('lists at the same time share one question', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const catalog = start(w)
  await Promise.all([1, 2, 3].map(() => tools(w, catalog, plan(['a']))))
  assert.is(w.upstreams.timesAsked('a'), 1)
  assert.is(w.names.claims, 1)
})

test('one user’s list is never shown to another', async () => {
  const w = world()
  w.upstreams.on('a', TOOLS, (_, { key }) => ({ tools: [{ name: `of-${key}` }] }))
  const catalog = start(w)
  const gateway = plan(['a'])
  assert.equal(names(await tools(w, catalog, gateway, accessAs('ann'))), ['of-ann'])
  assert.equal(names(await tools(w, catalog, gateway, accessAs('bob'))), ['of-bob'])
  w.upstreams.fails('a', TOOLS)
  w.clock.now += 2 * MINUTE
  const listing = await tools(w, catalog, gateway, accessAs('eve'))
  assert.equal([names(listing), states(listing)], [[], ['a missing']])
})

test('lists are kept apart by what the client can do, and so are saved ones', async () => {
  const w = world()
  w.upstreams.on('a', TOOLS, (_, { ability }) => ({ tools: [{ name: `for-${ability.key}` }] }))
  const access = (key: string): Access => ({
    target: (assignment) => ({ ...(open.target(assignment) as Target), ability: { key, capabilities: {} } }),
  })
  const catalog = start(w)
  assert.equal(names(await tools(w, catalog, plan(['a']), access('apps'))), ['for-apps'])
  assert.equal(names(await tools(w, catalog, plan(['a']), open)), ['for-'])
  w.upstreams.fails('a', TOOLS)
  assert.equal(names(await tools(w, start(w), plan(['a']), access('apps'))), ['for-apps'], 'after a restart, too')
})

test('fifty servers are asked at once: each answers only when all were asked', async () => {
  const w = world()
  const all = gate()
  const slugs = Array.from({ length: 50 }, (_, index) => `s${index}`)
  for (const slug of slugs)
    w.upstreams.on(slug, TOOLS, async () => {
      if (w.upstreams.asked.length === slugs.length) all.open()
      await all.opened
      return { tools: [{ name: `of-${slug}` }] }
    })
  const listing = await tools(w, start(w), plan(slugs))
  assert.is(listing.items.length, 50)
  assert.equal(listing.servers, [])
})

test('a hanging server costs the deadline once, and the others are there each time', async () => {
  const w = world({ list: 400 })
  w.upstreams.on('hung', TOOLS, never).on('hung', 'prompts/list', never).lists('b', TOOLS, ['find'])
  const catalog = start(w)
  const gateway = plan(['hung', 'b'])
  const first = await tools(w, catalog, gateway)
  assert.equal([names(first), states(first)], [['find'], ['hung missing']])
  assert.is(first.servers[0]?.reason, 'Server "hung" does not answer in time')
  const started = performance.now()
  const second = await tools(w, catalog, gateway)
  const prompts = await catalog.list(gateway, 'prompts', open, soon(w))
  assert.ok(performance.now() - started < 200, 'later lists wait a brief moment only')
  assert.equal([names(second), states(second)], [['find'], ['hung missing']])
  assert.equal(states(prompts), ['hung missing'])
  catalog.stop()
})

test('a late answer fills the cache and is told', async () => {
  const w = world({ list: 50 })
  const late = gate()
  w.upstreams.on('slow', TOOLS, async () => {
    await late.opened
    return { tools: [{ name: 'late' }] }
  })
  const catalog = start(w)
  const told = new Promise((resolve) => catalog.onChanged((...change) => resolve(change)))
  assert.equal(states(await tools(w, catalog, plan(['slow']))), ['slow missing'])
  late.open()
  assert.equal(await told, ['server-slow', 'tools', 'doubted'])
  const listing = await tools(w, catalog, plan(['slow']))
  assert.equal([names(listing), states(listing)], [['late'], []])
  assert.is(w.upstreams.timesAsked('slow'), 1)
})

test('a server that went down is shown for ten minutes, then no more, and named all the while', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['other'])
  const catalog = start(w)
  const gateway = plan(['a', 'b'])
  await tools(w, catalog, gateway)
  w.upstreams.fails('a', TOOLS)
  w.clock.now += 2 * MINUTE
  const since = new Date(w.clock.now).toISOString()
  const stale = await tools(w, catalog, gateway)
  assert.equal(names(stale), ['find', 'other'])
  assert.equal(stale.servers, [{ server: 'a', state: 'stale', reason: 'Server "a" is away', since }])
  assert.is(stale.ttlMs, 0)
  w.clock.now += 10 * MINUTE
  assert.equal(states(await tools(w, catalog, gateway)), ['a stale'])
  w.clock.now += 1
  const missing = await tools(w, catalog, gateway)
  assert.equal([names(missing), states(missing)], [['other'], ['a missing']])
  assert.is(missing.servers[0]?.since, since)
  w.upstreams.lists('a', TOOLS, ['find'])
  w.clock.now += MINUTE
  const back = await tools(w, catalog, gateway)
  assert.equal([names(back), states(back)], [['find', 'other'], []])
})

test('a server in trouble is asked again after growing pauses, not at each list', async () => {
  const w = world()
  w.upstreams.fails('a', TOOLS).lists('b', TOOLS, ['x'])
  const catalog = start(w)
  const gateway = plan(['a', 'b'])
  const asked: number[] = []
  for (const step of [0, 0, 999, 1, 1_999, 1, 0]) {
    w.clock.now += step
    await tools(w, catalog, gateway)
    asked.push(w.upstreams.timesAsked('a'))
  }
  assert.equal(asked, [1, 1, 1, 2, 2, 3, 3])
})

test('a server that a call found down is not waited for', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const catalog = start(w)
  await tools(w, catalog, plan(['a']))
  w.clock.now += 1
  w.upstreams.on('a', TOOLS, never)
  w.upstreams.down = { serverId: 'server-a', since: w.clock.now }
  const listing = await tools(w, catalog, plan(['a']))
  assert.equal([names(listing), states(listing)], [['find'], ['a stale']])
  catalog.stop()
})

test('a changed list is dropped before anyone is told, so that who asks then sees the change', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['old'])
  const catalog = start(w)
  const gateway = plan(['a'])
  await tools(w, catalog, gateway)
  const seen = new Promise<Listing>((resolve) => catalog.onChanged(() => resolve(tools(w, catalog, gateway))))
  w.upstreams.lists('a', TOOLS, ['new'])
  w.upstreams.announce('server-a', 'tools')
  assert.equal(names(await seen), ['new'])
})

test('an answer begun before the change does not pass for the changed list', async () => {
  const w = world()
  const [begun, old] = [gate(), gate()]
  w.upstreams.on('a', TOOLS, async () => {
    begun.open()
    await old.opened
    return { tools: [{ name: 'old' }] }
  })
  const catalog = start(w)
  const before = tools(w, catalog, plan(['a']))
  await begun.opened
  w.upstreams.lists('a', TOOLS, ['new'])
  w.upstreams.announce('server-a', 'tools')
  const after = await tools(w, catalog, plan(['a']))
  old.open()
  assert.equal(names(after), ['new'])
  assert.equal(names(await before), ['new'])
  assert.equal(names(await tools(w, catalog, plan(['a']))), ['new'])
})

test('a list that changes all the time is asked for three times at once, and whoever asks gets the newest', async () => {
  const w = world()
  const answers: ((list: JsonObject) => void)[] = []
  w.upstreams.on('a', TOOLS, () => new Promise((resolve) => answers.push(resolve)))
  const catalog = start(w)
  const asking = Array.from({ length: 6 }, async () => {
    w.upstreams.announce('server-a', 'tools')
    return names(await tools(w, catalog, plan(['a'])))
  })
  for (let n = 0; n < 3; n++) {
    while (answers.length <= n) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(answers.length <= n + 3)
  }
  for (let n = 0; n < answers.length; n++) {
    answers[n]?.({ tools: [{ name: `t${n}` }] })
    await new Promise((resolve) => setImmediate(resolve))
  }
  const newest = `t${answers.length - 1}`
  assert.equal(
    await Promise.all(asking),
    Array.from({ length: 6 }, () => [newest]),
  )
})

test('a fingerprint stands for what a caller sees: the same for the same features, and for nobody else’s', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['other'])
  const catalog = start(w)
  const both = plan(['a', 'b'])
  const print = (access: Access = open, of = both) => catalog.fingerprint(of, 'tools', access)
  await tools(w, catalog, both)
  const first = print()
  w.upstreams.announce('server-a', 'tools')
  await tools(w, catalog, both)
  assert.is(print(), first, 'it was asked again and has not changed')
  assert.is.not(print(accessBut('b', { state: 'disabled', reason: 'off' })), first)
  assert.is.not(print(open, plan(['a'])), first)
  w.upstreams.lists('a', TOOLS, ['find', 'more'])
  w.upstreams.announce('server-a', 'tools')
  await tools(w, catalog, both)
  assert.is.not(print(), first)
})

test('it is told whether the server said that its list changed, or may have done so unheard', () => {
  const w = world()
  const catalog = start(w)
  const told: string[] = []
  catalog.onChanged((_, kind, why) => told.push(`${kind} ${why}`))
  w.upstreams.announce('server-a', 'tools')
  w.upstreams.announce('server-a', 'prompts', 'missed')
  catalog.drop('server-a', ['tools'])
  assert.equal(told, ['tools said', 'prompts doubted', 'tools doubted'])
})

test('a change of resources drops the templates too, and leaves the tools', async () => {
  const w = world()
  const catalog = start(w)
  const told: string[] = []
  catalog.onChanged((_, kind) => told.push(kind))
  w.upstreams.announce('server-a', 'resources')
  assert.equal(told, ['resources', 'templates'])
})

test('who never gave a credential sees nothing of that server but its name', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['x'])
  const catalog = start(w)
  await tools(w, catalog, plan(['a', 'b']))
  const access = accessBut('a', { state: 'connect_required', reason: 'sign in first' })
  const listing = await tools(w, catalog, plan(['a', 'b']), access)
  assert.equal(names(listing), ['x'])
  assert.equal(listing.servers, [{ server: 'a', state: 'connect_required', reason: 'sign in first', since: null }])
})

test('what an expired credential saw last goes on being shown', async () => {
  const w = world()
  w.upstreams.on('a', TOOLS, () => ({ tools: [{ name: 'mine' }] }))
  const catalog = start(w)
  await tools(w, catalog, plan(['a']), accessAs('ann'))
  w.clock.now += 24 * 60 * MINUTE
  const asked = w.upstreams.asked.length
  const access = accessBut('a', { state: 'connect_required', reason: 'sign in again', lastSeenAs: 'ann' })
  const listing = await tools(w, catalog, plan(['a']), access)
  assert.equal([names(listing), states(listing)], [['mine'], ['a connect_required']])
  assert.is(w.upstreams.asked.length, asked)
})

test('a credential that the server refuses keeps its list, beyond the grace period', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const catalog = start(w)
  await tools(w, catalog, plan(['a']))
  w.upstreams.fails('a', TOOLS, 'GH_UPSTREAM_AUTH')
  for (const step of [2, 20]) {
    w.clock.now += step * MINUTE
    const listing = await tools(w, catalog, plan(['a']))
    assert.equal([names(listing), states(listing)], [['find'], ['a connect_required']])
  }
})

test('a disabled server is named and shows nothing', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const catalog = start(w)
  await tools(w, catalog, plan(['a']))
  const access = accessBut('a', { state: 'disabled', reason: 'switched off', lastSeenAs: 'public' })
  const listing = await tools(w, catalog, plan(['a']), access)
  assert.equal([names(listing), states(listing), listing.failed], [[], ['a disabled'], null])
})

test('when no server can be listed that is said instead of an empty list', async () => {
  const w = world()
  w.upstreams.fails('a', TOOLS).fails('b', TOOLS)
  const listing = await tools(w, start(w), plan(['a', 'b']))
  assert.is(listing.failed?.code, 'GH_UPSTREAM_UNREACHABLE')
  assert.equal(listing.failed?.data, { servers: listing.servers })
  assert.equal(
    listing.perServer.map(({ state, error }) => [state, error?.code]),
    [
      ['missing', 'GH_UPSTREAM_UNREACHABLE'],
      ['missing', 'GH_UPSTREAM_UNREACHABLE'],
    ],
  )
})

test('a server without the capability has an empty list and is not asked', async () => {
  const w = world()
  w.upstreams.infos.set('a', { capabilities: {} })
  const listing = await tools(w, start(w), plan(['a']))
  assert.equal([listing.items, listing.servers, listing.failed, w.upstreams.asked], [[], [], null, []])
})

test('while the database is away known names work and new ones are held back', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['old'])
  const catalog = start(w)
  await tools(w, catalog, plan(['a']))
  w.names.away = true
  w.upstreams.lists('a', TOOLS, ['old', 'new'])
  w.upstreams.announce('server-a', 'tools')
  const held = await tools(w, catalog, plan(['a']))
  assert.equal([names(held), states(held)], [['old'], ['a stale']])
  w.names.away = false
  w.clock.now += 3_000
  const back = await tools(w, catalog, plan(['a']))
  assert.equal([names(back), states(back)], [['old', 'new'], []])
})

test('while no name is known at all the list fails instead of being empty', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  w.names.away = true
  assert.is((await tools(w, start(w), plan(['a']))).failed?.code, 'GH_DB_UNAVAILABLE')
})

test('the last good list survives a restart while its server is down', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  await tools(w, start(w), plan(['a']))
  w.upstreams.fails('a', TOOLS)
  const listing = await tools(w, start(w), plan(['a']))
  assert.equal([names(listing), states(listing)], [['find'], ['a stale']])
})

test('a list from before a change of the server’s configuration is never shown', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const catalog = start(w)
  await tools(w, catalog, plan(['a']))
  w.upstreams.fails('a', TOOLS)
  const changed = plan([{ server: server('a', { updatedAt: '2026-11-01T00:00:00Z' }) }])
  for (const process of [catalog, start(w)]) {
    const listing = await tools(w, process, changed)
    assert.equal([names(listing), states(listing)], [[], ['a missing']])
  }
})

test('a change of the server’s configuration ends its pause', async () => {
  const w = world()
  w.upstreams.fails('a', TOOLS)
  const catalog = start(w)
  await tools(w, catalog, plan(['a']))
  w.upstreams.lists('a', TOOLS, ['find'])
  const changed = plan([{ server: server('a', { updatedAt: '2026-11-01T00:00:00Z' }) }])
  assert.equal(names(await tools(w, catalog, changed)), ['find'])
})

test('an app’s resource gets its public URI together with its tool, and keeps it', async () => {
  const w = world()
  const app = () => ({ tools: [{ name: 't', _meta: { ui: { resourceUri: 'ui://app' } } }] })
  for (const slug of ['a', 'b']) w.upstreams.on(slug, TOOLS, app).lists(slug, 'resources/list', ['ui://app'])
  const catalog = start(w)
  const uris = (listing: Listing) =>
    listing.items.map(({ entry }) => (entry._meta as { ui: JsonObject }).ui.resourceUri)
  const before = uris(await tools(w, catalog, plan(['a', 'b'])))
  const { items } = await catalog.list(plan(['a', 'b']), 'resources', open, soon(w))
  const after = uris(await tools(w, catalog, plan(['a', 'b'])))
  assert.equal(before, ['ui://app', 'ui://b+app'])
  assert.equal(after, before)
  assert.equal(
    items.map(({ entry }) => entry.uri),
    before,
  )
})

test('a list is promised for the shortest time that its parts hold, and public only if all are', async () => {
  const w = world()
  const modern = { era: 'modern' } as const
  w.upstreams.infos.set('a', modern).set('b', modern)
  w.upstreams.on('a', TOOLS, () => ({ tools: [{ name: 'x' }], ttlMs: 90_000, cacheScope: 'public' }))
  w.upstreams.on('b', TOOLS, () => ({ tools: [{ name: 'y' }], ttlMs: 30_000, cacheScope: 'public' }))
  w.upstreams.lists('old', TOOLS, ['z'])
  const catalog = start(w)
  const both = await tools(w, catalog, plan(['a', 'b']))
  assert.equal([both.ttlMs, both.scope], [30_000, 'public'])
  w.clock.now += 10_000
  assert.is((await tools(w, catalog, plan(['a', 'b']))).ttlMs, 20_000)
  assert.is((await tools(w, catalog, plan(['a', 'old']))).scope, 'private')
  assert.is((await tools(w, catalog, plan(['a']), accessAs('ann'))).scope, 'private')
})

test('clients of a server that announces no changes are promised nothing', async () => {
  const w = world()
  w.upstreams.infos.set('mute', { capabilities: { tools: {} } })
  w.upstreams.lists('mute', TOOLS, ['x']).lists('a', TOOLS, ['y'])
  const catalog = start(w)
  assert.is((await tools(w, catalog, plan(['mute']))).ttlMs, 0)
  assert.is((await tools(w, catalog, plan(['a']))).ttlMs, 60_000)
  await tools(w, catalog, plan(['mute']))
  assert.is(w.upstreams.timesAsked('mute'), 1)
})

test.run()
