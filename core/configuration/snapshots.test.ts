import { test } from 'uvu'
import { EVERYTHING } from '../domain/provisioning.js'
import * as assert from 'uvu/assert'
import { createEpochs, FRESH_MS } from '../cluster/epochs.js'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, ruleDraft, serverDraft } from '../db/testing.js'
import { newWatch } from '../domain/rule-watch.js'
import type { OpenedEngine } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule, Snapshot } from '../domain/snapshot.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { openEngine } from './nouns/open-engine.js'
import { createSnapshots } from './snapshots.js'

const database = await migratedDatabase()
const store = createStore({ dataSource: database.dataSource, vault: fakeVault })
const elsewhere = createStore({ dataSource: await database.open(), vault: fakeVault })

function scene(prepare: (rule: Rule) => Promise<Partial<CompiledRule>> = async () => ({}), intervalMs = 2 ** 30) {
  const prepared: string[] = []
  const opened: string[] = []
  const told: (OpenedEngine | null)[] = []
  const retired: string[] = []
  const warnings: string[] = []
  const epochs = createEpochs({ store, intervalMs })
  const snapshots = createSnapshots({
    store,
    epochs,
    log: { warn: (_, message) => void warnings.push(message), error: (_, message) => void warnings.push(message) },
    engineKinds: () => [],
    openEngine: async (engine) => {
      opened.push(engine.slug)
      return openEngine(store, engine)
    },
    prepareRule: async (rule, instance) => {
      prepared.push(`${rule.name}@${rule.version}`)
      told.push(instance)
      const known = {
        rule,
        kind: rule.engine,
        instance: null,
        whole: true,
        looksOnly: false,
        change: null,
        chains: false,
        artifact: null,
        share: null,
        watch: newWatch(),
        covers: () => true,
      }
      return { ...known, state: rule.version, passes: 1, broken: null, ...(await prepare(rule)) }
    },
    retireRule: ({ rule }) => void retired.push(`${rule.name}@${rule.version}`),
    retireAfterMs: () => 0,
  })
  const until = (fits: (snapshot: Snapshot) => boolean): Promise<Snapshot> =>
    new Promise((resolve) => {
      const stop = snapshots.onSwap((next) => {
        if (!fits(next)) return
        stop()
        resolve(next)
      })
    })
  const stop = async (): Promise<void> => {
    epochs.stop()
    await snapshots.stop()
  }
  return { prepared, opened, told, retired, warnings, epochs, snapshots, until, stop }
}

test('before the first build there is none', async () => {
  const { snapshots, stop } = scene()
  assert.throws(() => snapshots.current(), /away/)
  await stop()
})

test('a gateway is found by id, slug and former slug, with what its assignments point at', async () => {
  const { snapshots, stop } = scene()
  const server = await store.servers.insert(serverDraft('crm'))
  const identity = await store.identities.insert({
    managedBy: 'api',
    slug: 'reader',
    serverId: server.id,
    shared: true,
    ownerId: null,
    headers: [],
    enabled: true,
    kind: 'headers',
    status: 'ok',
  })
  const { id } = await store.gateways.insert(gatewayDraft('old'))
  await store.gateways.update(id, { slug: 'new' })
  await store.gateways.setAssignments(id, [
    {
      serverId: server.id,
      as: null,
      scheme: { kind: 'shared', identityId: identity.id },
      provisioning: EVERYTHING,
      enabled: true,
    },
    { serverId: server.id, as: 'mine', scheme: { kind: 'per-user' }, provisioning: EVERYTHING, enabled: true },
  ])
  const snapshot = await snapshots.rebuild()
  assert.is(snapshot, snapshots.current())
  assert.is(snapshot.epoch, await store.epoch())
  const plan = snapshot.gateways.get(id)
  for (const name of ['old', 'new']) assert.is(snapshot.gateways.get(name), plan)
  assert.equal(
    plan?.assignments.map((each) => [
      each.prefix,
      each.identity?.slug ?? null,
      each.server.slug,
      each.assignment.enabled,
    ]),
    [
      ['crm', 'reader', 'crm', true],
      ['mine', null, 'crm', true],
    ],
  )
  const [first] = plan?.assignments ?? []
  assert.is(plan?.assignmentById.get(first?.assignment.id ?? ''), first)
  assert.is(snapshot.servers.get(server.id)?.slug, 'crm')
  await stop()
})

test('a change at another replica is swapped in; a call in flight keeps what it holds', async () => {
  const { snapshots, epochs, until, stop } = scene(undefined, 10)
  const server = await store.servers.insert(serverDraft('far'))
  await epochs.check()
  const before = await snapshots.rebuild()
  const swapped = until((next) => next.servers.get(server.id)?.enabled === false)
  await elsewhere.transaction(async (inside) => {
    await inside.servers.update(server.id, { enabled: false })
    await inside.bumpEpoch()
  })
  const after = await swapped
  assert.is(snapshots.current(), after)
  assert.ok(after.epoch > before.epoch)
  assert.is(before.servers.get(server.id)?.enabled, true)
  await stop()
})

test('a change that was not heard of is asked for, by whoever must know', async () => {
  const { snapshots, epochs, stop } = scene()
  const server = await store.servers.insert(serverDraft('deaf'))
  await epochs.check()
  await snapshots.rebuild()
  assert.is(snapshots.catchUp(), null, 'it was heard of a moment ago')
  await elsewhere.transaction(async (inside) => {
    await inside.servers.update(server.id, { enabled: false })
    await inside.bumpEpoch()
  })
  await new Promise((resolve) => setTimeout(resolve, FRESH_MS + 50))
  assert.is(snapshots.current().servers.get(server.id)?.enabled, true)
  await snapshots.catchUp()
  assert.is(snapshots.current().servers.get(server.id)?.enabled, false)
  assert.is(snapshots.catchUp(), null)
  await stop()
})

test('a change that was heard of is waited for, and refused when it cannot be read', async () => {
  let [epoch, isAway] = [1, false]
  const away = async () => {
    if (isAway) throw new GatehouseError('GH_DB_UNAVAILABLE')
    return []
  }
  const snapshots = createSnapshots({
    store: { ...store, gateways: { ...store.gateways, all: away }, epoch: async () => epoch },
    epochs: {
      onChange: () => () => undefined,
      current: () => epoch,
      freshWithin: () => true,
      check: async () => epoch,
    },
    log: { warn: () => undefined, error: () => undefined },
    openEngine: () => Promise.reject(new Error('no engines here')),
    engineKinds: () => [],
    prepareRule: async () => ({}) as never,
    retireRule: () => undefined,
  })
  await snapshots.rebuild()
  ;[epoch, isAway] = [2, true]
  const refused = await snapshots.catchUp()?.catch((thrown: unknown) => asGatehouseError(thrown).code)
  assert.is(refused, 'GH_DB_UNAVAILABLE')
  isAway = false
  await snapshots.catchUp()
  assert.is(snapshots.current().epoch, 2)
  await snapshots.stop()
})

test('a rule is prepared once for each version, and retired when it has left', async () => {
  const { snapshots, prepared, retired, stop } = scene()
  const { id } = await store.gateways.insert(gatewayDraft('rules'))
  const rules = (...drafts: ReturnType<typeof ruleDraft>[]) => store.gateways.setRules(id, drafts)
  await rules(ruleDraft('a'), ruleDraft('b'), ruleDraft('off', { enabled: false }))
  await snapshots.rebuild()
  await snapshots.rebuild()
  assert.equal(prepared, ['a@1', 'b@1'])
  await rules(ruleDraft('b'), ruleDraft('a', { alerts: true }))
  const snapshot = await snapshots.rebuild()
  assert.equal(prepared, ['a@1', 'b@1', 'a@2'])
  assert.equal(
    snapshot.gateways.get(id)?.rules.map(({ rule, state }) => [rule.name, rule.position, state]),
    [
      ['b', 0, 1],
      ['a', 1, 2],
    ],
  )
  await stop()
  assert.equal(retired.toSorted(), ['a@1', 'a@2', 'b@1'])
  await store.gateways.remove(id)
})

test('a failed build keeps the old configuration, throws, and gives back what it had prepared', async () => {
  let fails = false
  const { snapshots, retired, stop } = scene(async (rule) => {
    if (fails && rule.name === 'bad') throw new Error('the engine is down')
    return {}
  })
  const { id } = await store.gateways.insert(gatewayDraft('fails'))
  await store.gateways.setRules(id, [ruleDraft('stays')])
  const before = await snapshots.rebuild()
  fails = true
  await store.gateways.setRules(id, [ruleDraft('stays'), ruleDraft('good'), ruleDraft('bad')])
  assert.is(await snapshots.rebuild().catch((error: Error) => error.message), 'the engine is down')
  assert.is(snapshots.current(), before)
  assert.equal(retired, ['good@1'])
  fails = false
  assert.is((await snapshots.rebuild()).gateways.get(id)?.rules.length, 3)
  await stop()
  await store.gateways.remove(id)
})

test('a rule that came back broken is prepared again at the next build', async () => {
  let broken: string | null = 'the engine is not there yet'
  const { snapshots, stop } = scene(async () => ({ broken }))
  const { id } = await store.gateways.insert(gatewayDraft('broken'))
  await store.gateways.setRules(id, [ruleDraft('late')])
  assert.is((await snapshots.rebuild()).gateways.get(id)?.rules[0]?.broken, broken)
  broken = null
  assert.is((await snapshots.rebuild()).gateways.get(id)?.rules[0]?.broken, null)
  await stop()
  await store.gateways.remove(id)
})

test('a rebuild that is asked for after a change sees it, though another is under way', async () => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const { snapshots, stop } = scene(async () => {
    await held
    return {}
  })
  const { id } = await store.gateways.insert(gatewayDraft('busy'))
  await store.gateways.setRules(id, [ruleDraft('slow')])
  const first = snapshots.rebuild()
  await store.gateways.update(id, { title: 'changed' })
  const second = snapshots.rebuild()
  release()
  await first
  assert.is((await second).gateways.get(id)?.gateway.title, 'changed')
  await stop()
  await store.gateways.remove(id)
})

test('a reading that a change has torn is read again', async () => {
  let changes = 1
  const torn = {
    ...store,
    servers: {
      ...store.servers,
      all: async () => {
        const servers = await store.servers.all()
        if (changes-- > 0) {
          await elsewhere.servers.insert(serverDraft('torn'))
          await elsewhere.bumpEpoch()
        }
        return servers
      },
    },
  }
  const snapshots = createSnapshots({
    store: torn,
    epochs: { onChange: () => () => undefined, current: () => 0, freshWithin: () => true, check: async () => 0 },
    log: { warn: () => undefined, error: () => undefined },
    openEngine: () => Promise.reject(new Error('no engines here')),
    engineKinds: () => [],
    prepareRule: () => Promise.reject(new Error('no rules here')),
    retireRule: () => undefined,
  })
  const snapshot = await snapshots.rebuild()
  assert.ok([...snapshot.servers.values()].some(({ slug }) => slug === 'torn'))
  assert.is(snapshot.epoch, await store.epoch())
  await snapshots.stop()
})

test('of two assignments that go by one name the second is disabled, and all else stands', async () => {
  const { snapshots, warnings, stop } = scene()
  const [one, two] = [await store.servers.insert(serverDraft('one')), await store.servers.insert(serverDraft('two'))]
  const { id } = await store.gateways.insert(gatewayDraft('twice'))
  await store.gateways.setAssignments(id, [
    { serverId: one.id, as: null, scheme: { kind: 'open' }, provisioning: EVERYTHING, enabled: true },
    { serverId: two.id, as: 'one', scheme: { kind: 'open' }, provisioning: EVERYTHING, enabled: true },
  ])
  const plan = (await snapshots.rebuild()).gateways.get(id)
  assert.equal(
    plan?.assignments.map(({ assignment }) => assignment.enabled),
    [true, false],
  )
  assert.is(warnings.length, 1)
  await stop()
})

test('a changed engine has its rules prepared anew, and its secrets are opened once for all of them', async () => {
  const { snapshots, prepared, opened, told, retired, stop } = scene()
  const engine = { slug: 'dlp', kind: 'webhook', config: { url: 'https://a.example' }, version: 1, lastTest: null }
  const made = await store.engines.insert({ ...engine, secrets: ['token'], managedBy: 'api' })
  await store.secrets.put({ kind: 'engine', id: made.id }, 'config.token', 't')
  const { id } = await store.gateways.insert(gatewayDraft('with-engine'))
  const rules = ['one', 'two'].map((name) => ({ ...ruleDraft(name), engine: 'dlp' }))
  await store.gateways.setRules(id, [...rules, ruleDraft('three')])
  const before = prepared.length
  await snapshots.rebuild()
  assert.equal(opened, ['dlp'])
  const config = { url: 'https://a.example', token: 't' }
  const dlp = { id: made.id, name: 'dlp', kind: 'webhook', config }
  assert.equal(
    told.filter((each) => each !== null),
    [dlp, dlp],
  )
  assert.is(snapshots.current().engines.get('dlp')?.config['token'], undefined)
  await store.engines.noteTest(made.id, { at: '2026-01-01T00:00:00.000Z', ok: true, outcome: 'pass', ms: 1 })
  await snapshots.rebuild()
  assert.is(prepared.length, before + 3)
  await store.engines.update(made.id, { version: 2 })
  await snapshots.rebuild()
  assert.equal(prepared.slice(before + 3), ['one@1', 'two@1'])
  await stop()
  assert.ok(['one@1', 'two@1', 'three@1'].every((each) => retired.includes(each)))
  await store.gateways.remove(id)
  await store.engines.remove(made.id)
})

test.after(() => database.drop())
test.run()
