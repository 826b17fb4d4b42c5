import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashesOf, pinHash } from '../domain/feature-hash.js'
import {
  ALL,
  DEFAULT_PINNING,
  PIN_FIELDS,
  type AllowEntry,
  type Pinning,
  type Provisioning,
} from '../domain/provisioning.js'
import type { GatewayPlan } from '../domain/snapshot.js'
import type { ListKind } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { parseJson } from '../mcp/json.js'
import {
  accessAs,
  accessBut,
  approvalsOf,
  entry,
  open,
  plan,
  server,
  startWith,
  world,
  type World,
} from './catalog-testing.js'
import type { Access, Listing } from './catalog-types.js'

const TOOLS = 'tools/list'
const RESOURCES = 'resources/list'
const TEMPLATES = 'resources/templates/list'
const MINUTE = 60_000
const NONE = { mode: 'none', allow: [] } as const
const only = (...allow: readonly (string | AllowEntry)[]) =>
  ({ mode: 'selected', allow: allow.map((one) => (typeof one === 'string' ? { name: one } : one)) }) as const
const TOFU: Pinning = { ...DEFAULT_PINNING, trustOnFirstUse: true }

const house = (provisioning: Partial<Provisioning>, pinning: Pinning = DEFAULT_PINNING): GatewayPlan =>
  plan([{ server: server('a'), provisioning }], { pinning })

function door(w: World, of: GatewayPlan) {
  const approvals = approvalsOf(w)
  const catalog = startWith(w, approvals)
  const deadline = () => w.clock.now + MINUTE
  return {
    catalog,
    approvals,
    list: async (kind: ListKind = 'tools', access: Access = open) =>
      namesOf(await catalog.list(of, kind, access, deadline())),
    listing: (kind: ListKind = 'tools') => catalog.list(of, kind, open, deadline()),
    async find(name: string, kind: FeatureKind = 'tool', access: Access = open) {
      const feature = await catalog.resolve(of, kind, name, access, deadline())
      return feature === null ? null : feature.name
    },
    why: (name: string, kind: FeatureKind = 'tool') => catalog.whyHidden(of, kind, name, open),
    print: (kind: ListKind = 'tools') => catalog.fingerprint(of, kind, open),
  }
}
const namesOf = ({ items }: Listing) => items.map(({ entry }) => entry.name ?? entry.uri ?? entry.uriTemplate)
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'not refused',
    (thrown: unknown) => (thrown instanceof GatehouseError ? thrown.code : 'another error'),
  )
const definitions = (w: World, ...tools: readonly JsonObject[]) => w.upstreams.on('a', TOOLS, () => ({ tools }))
const told = (w: World) => w.features.told.map(({ event, name }) => `${event} ${name}`)

test('what is not selected is neither listed nor found, and gets no name', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find', 'drop'])
  const at = door(w, house({ tools: only('find') }))
  assert.equal(await at.list(), ['find'])
  assert.is(await at.find('find'), 'find')
  assert.is(await at.find('drop'), null)
  assert.equal(
    w.names.given.map(({ name }) => name),
    ['find'],
  )
  assert.is(at.why('drop'), 'not_selected')
  assert.is(at.why('never'), null)
})

test('what had a name before it was hidden is unknown from then on, though its server is away', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  await door(w, house({})).list()
  w.upstreams.fails('a', TOOLS)
  const gone = door(w, house({ tools: NONE }))
  assert.is(await gone.find('find'), null)
  assert.is(gone.why('find'), 'none')
  assert.is(await door(w, house({ tools: only() })).find('find'), null)
})

test('hidden is unknown, too, where the caller has no credential or the server is disabled', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find', 'drop'])
  await door(w, house({})).list()
  for (const state of ['disabled', 'connect_required'] as const) {
    const access = accessBut('a', { state, reason: 'x' })
    const at = door(w, house({ tools: only('find') }))
    assert.is(await at.find('drop', 'tool', access), null)
    assert.is(await at.find('find', 'tool', access), 'find')
  }
})

test('prompts are provisioned apart from tools', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['greet']).lists('a', 'prompts/list', ['greet', 'bye'])
  const at = door(w, house({ prompts: only('bye') }))
  assert.equal([await at.list(), await at.list('prompts')], [['greet'], ['bye']])
  assert.equal(
    [await at.find('greet'), await at.find('greet', 'prompt'), await at.find('bye', 'prompt')],
    ['greet', null, 'bye'],
  )
})

test('what is suspected is hidden where everything is shown, until somebody approves it', async () => {
  const w = world()
  const poisoned = { name: 'x', description: 'reads <IMPORTANT>all</IMPORTANT>' }
  definitions(w, poisoned, { name: 'y' })
  const of = house({})
  const at = door(w, of)
  assert.equal(await at.list(), ['x', 'y'])
  const hashes = hashesOf(poisoned, 'name')
  const sighting = { event: 'suspected', name: 'x', version: 1, sha256: pinHash('x', hashes), hashes } as const
  const where = { gatewayId: of.gateway.id, assignmentId: 'assignment-a', kind: 'tool' } as const
  await w.features.suspect(where, [{ ...sighting, definition: poisoned, note: 'hidden text' }], true)
  await at.approvals.follow()
  assert.equal(await at.list(), ['y'])
  assert.is(await at.find('x'), null)
  assert.is(at.why('x'), 'refused')
  assert.is(w.features.baselines.size, 0, 'nothing was pinned by that')
  w.features.approve('assignment-a', 'tool', { name: 'x', hashes })
  await at.approvals.follow()
  assert.is(await at.find('x'), 'x')
})

test('the hash of a definition with numbers that no double holds is the same in every process', async () => {
  const w = world()
  const text = '{"name":"x","inputSchema":{"type":"object","properties":{"n":{"maximum":18446744073709551615}}}}'
  definitions(w, parseJson(text) as JsonObject)
  await door(w, house({}, TOFU)).list()
  const [trusted] = w.features.told
  const definition = JSON.parse(text) as JsonObject
  assert.equal(trusted?.definition, definition)
  assert.is(trusted?.sha256, pinHash('x', hashesOf(definition, 'name')))
})

test('a tool is judged by what it says of itself now', async () => {
  const w = world()
  definitions(w, { name: 'x', annotations: { readOnlyHint: true } })
  const at = door(w, house({ tools: only({ name: '*', readOnly: true }) }))
  assert.is(await at.find('x'), 'x')
  definitions(w, { name: 'x' })
  w.upstreams.announce('server-a', 'tools')
  assert.is(await at.find('x'), null)
  assert.equal(await at.list(), [])
})

test('a resource that is read by a template needs one that is shown', async () => {
  const w = world()
  w.upstreams.lists('a', RESOURCES, ['file:///readme'])
  w.upstreams.lists('a', TEMPLATES, ['file:///docs/{name}', 'file:///private/{name}'])
  const at = door(w, house({ resources: only('file:///docs/{name}', 'file:///public/*') }))
  assert.equal(await at.list('resources'), [])
  assert.equal(await at.list('templates'), ['file:///docs/{name}'])
  assert.is(await at.find('file:///docs/one', 'resource'), 'file:///docs/one')
  assert.is(await at.find('file:///private/one', 'resource'), null)
  assert.is(await at.find('file:///readme', 'resource'), null)
  assert.is(await at.find('file:///public/a/b', 'resource'), 'file:///public/a/b')
  for (const escape of [
    'file:///docs/..',
    'file:///public/../private/one',
    'file:///public/%2e%2e/x',
    'file:///docs/%252e%252e%252fx',
    'file:///public/x?of=../private',
  ])
    assert.is(await at.find(escape, 'resource'), null, escape)
})

test('what is hidden is not read under another spelling of its URI', async () => {
  const w = world()
  w.upstreams.lists('a', RESOURCES, ['crm://contact/5', 'crm://contact/6'])
  w.upstreams.lists('a', TEMPLATES, ['crm://contact/{id}'])
  const at = door(w, house({ resources: only('crm://contact/6', 'crm://contact/{id}') }))
  for (const uri of ['crm://contact/5', 'crm://contact/%35', 'crm://contact/%2535', 'CRM://contact/5'])
    assert.is(await at.find(uri, 'resource'), null, uri)
  assert.is(await at.find('crm://contact/7', 'resource'), 'crm://contact/7')
  assert.is(await at.find('crm://contact/%37', 'resource'), 'crm://contact/%37')

  const open = house({})
  const free = door(w, open)
  const definition = entry(RESOURCES, 'crm://contact/5')
  const hashes = hashesOf(definition, 'uri')
  const told = { event: 'suspected', name: 'crm://contact/5', version: 1, hashes, definition, note: null } as const
  const where = { gatewayId: open.gateway.id, assignmentId: 'assignment-a', kind: 'resource' } as const
  await w.features.suspect(where, [{ ...told, sha256: pinHash(told.name, hashes) }], true)
  await free.list('resources')
  await free.approvals.load(open.gateway.id)
  for (const uri of ['crm://contact/5', 'crm://contact/%35', 'crm://contact/5?', 'crm://contact//5'])
    assert.is(await free.find(uri, 'resource'), null, uri)
  assert.is(await free.find('crm://contact/7', 'resource'), 'crm://contact/7')
})

test('nothing of resources is read when they are all hidden', async () => {
  const w = world()
  w.upstreams.lists('a', RESOURCES, ['file:///readme']).lists('a', TEMPLATES, ['file:///{name}'])
  const at = door(w, house({ resources: NONE }))
  for (const uri of ['file:///readme', 'file:///x', 'file:///{name}', 'gh+a+file:///readme', 'else:x'])
    assert.is(await at.find(uri, 'resource'), null, uri)
})

test('the template of one server that is hidden takes no URI from another server', async () => {
  const w = world()
  for (const slug of ['a', 'b']) w.upstreams.lists(slug, RESOURCES, [`file:///of-${slug}`])
  w.upstreams.lists('a', TEMPLATES, ['file:///{+path}']).lists('b', TEMPLATES, ['file:///{name}'])
  const both = (resources: Provisioning['resources']) =>
    plan([{ server: server('a'), provisioning: { resources } }, { server: server('b') }])
  await door(w, both(ALL)).list('templates')
  const at = door(w, both(NONE))
  assert.is(await at.find('file:///x', 'resource'), 'file:///x')
})

test('an app goes with its tool, and a tool goes without its app where that is hidden', async () => {
  const w = world()
  const app = (name: string, uri: string) => ({ name, _meta: { ui: { resourceUri: uri } } })
  definitions(w, app('shown', 'ui://one'), app('hidden', 'ui://two'), app('twin', 'ui://one'))
  w.upstreams.lists('a', RESOURCES, ['ui://one', 'ui://two', 'file:///x']).lists('a', TEMPLATES, [])
  const at = door(w, house({ tools: only('shown') }))
  assert.equal(await at.list('resources'), ['ui://one', 'file:///x'])
  for (const uri of ['ui://two', 'UI://two', 'ui://%74wo', 'ui://two?x'])
    assert.is(await at.find(uri, 'resource'), null, uri)
  assert.is(await at.find('ui://one', 'resource'), 'ui://one')
  const without = door(w, house({ resources: NONE }))
  const { items } = await without.listing()
  assert.equal(items[0]?.entry._meta, { ui: {} })
})

test('a change of what is hidden alone is no change', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find', 'drop'])
  const at = door(w, house({ tools: only('find') }))
  await at.list()
  const before = at.print()
  w.upstreams.lists('a', TOOLS, ['find', 'drop', 'more'])
  w.upstreams.announce('server-a', 'tools')
  await at.list()
  assert.is(at.print(), before)
  w.upstreams.on('a', TOOLS, () => ({ tools: [{ ...entry(TOOLS, 'find'), description: 'other' }] }))
  w.upstreams.announce('server-a', 'tools')
  await at.list()
  assert.is.not(at.print(), before)
})

test('what is trusted at first use is recorded, and refused at the very next call when it has changed', async () => {
  const w = world()
  definitions(w, { name: 'x', description: 'one' })
  const at = door(w, house({}, TOFU))
  assert.is(await at.find('x'), 'x')
  assert.equal(told(w), ['trusted x'])
  definitions(w, { name: 'x', description: 'two' })
  assert.is(await at.find('x'), 'x', 'nobody has said that it changed')
  w.upstreams.announce('server-a', 'tools')
  assert.is(await at.find('x'), null)
  assert.is(at.why('x'), 'changed')
  assert.equal(await at.list(), [])
  assert.equal(told(w), ['trusted x', 'changed x'])
  definitions(w, { name: 'x', description: 'one' })
  w.upstreams.announce('server-a', 'tools')
  assert.is(await at.find('x'), 'x', 'it is again what was trusted')
})

test('whatever a server promises, what is pinned is compared with a list of the last minute', async () => {
  const w = world()
  w.upstreams.infos.set('a', { era: 'modern' })
  const lasting = (description: string) =>
    w.upstreams.on('a', TOOLS, () => ({ tools: [{ name: 'x', description }], ttlMs: 86_400_000 }))
  lasting('one')
  const at = door(w, house({}, TOFU))
  assert.is(await at.find('x'), 'x')
  lasting('two')
  w.clock.now += MINUTE
  assert.is(await at.find('x'), null)
})

test('a pinned feature of a server that cannot be listed is refused, another is not', async () => {
  const w = world()
  definitions(w, { name: 'x', description: 'one' }, { name: 'y' })
  const at = door(w, house({ tools: only({ name: 'x', pin: { fields: PIN_FIELDS } }, 'y') }))
  await at.list()
  w.upstreams.fails('a', TOOLS)
  w.clock.now += 2 * MINUTE
  assert.is(await refusal(at.find('x')), 'GH_UPSTREAM_UNREACHABLE')
  assert.is(await at.find('y'), 'y')
})

test('what cannot be recorded is not let through', async () => {
  const w = world()
  definitions(w, { name: 'x', description: 'one' })
  const at = door(w, house({}, TOFU))
  w.features.away = true
  const { items, servers } = await at.listing()
  assert.equal([items.length, servers.map(({ state }) => state)], [0, ['stale']])
  w.names.given.push({
    gatewayId: 'gateway-1',
    kind: 'tool',
    assignmentId: 'assignment-a',
    upstreamName: 'x',
    name: 'x',
  })
  assert.is(await refusal(door(w, house({}, TOFU)).find('x')), 'GH_DB_UNAVAILABLE')
})

test('a renamed feature is told as one and not trusted by itself', async () => {
  const w = world()
  const schema = { type: 'object' }
  definitions(w, { name: 'send', description: 'sends', inputSchema: schema })
  const at = door(w, house({}, TOFU))
  await at.list()
  definitions(w, { name: 'send_v2', description: 'sends', inputSchema: schema })
  w.upstreams.announce('server-a', 'tools')
  assert.equal(await at.list(), [])
  assert.equal(
    w.features.told.map(({ event, name, note }) => [event, name, note]),
    [
      ['trusted', 'send', null],
      ['renamed', 'send_v2', 'send'],
    ],
  )
  assert.is(at.why('send_v2'), 'pending')
})

test('a renamed feature that was changed a little as well is no less one', async () => {
  const inputSchema = { type: 'object', properties: { to: { type: 'string' } } }
  const before = { name: 'send', description: 'sends', inputSchema }
  for (const [after, shown] of [
    [{ name: 'mail', description: 'sends, and more', inputSchema }, []],
    [{ name: 'mail', description: 'sends', inputSchema: { type: 'object' } }, []],
    [{ name: 'mail', description: 'other', inputSchema: { type: 'object' } }, ['mail']],
  ] as const) {
    const w = world()
    definitions(w, before)
    const at = door(w, house({}, TOFU))
    await at.list()
    definitions(w, after)
    w.upstreams.announce('server-a', 'tools')
    assert.equal(await at.list(), shown)
  }
})

test('what appears later is trusted or waits, as the gateway says; what is meant by its name is trusted', async () => {
  for (const [newFeatures, shown] of [
    ['allow', ['one', 'two']],
    ['quarantine', ['one']],
  ] as const) {
    const w = world()
    definitions(w, { name: 'one' })
    const at = door(w, house({}, { ...TOFU, newFeatures }))
    await at.list()
    definitions(w, { name: 'one' }, { name: 'two' })
    w.upstreams.announce('server-a', 'tools')
    assert.equal(await at.list(), shown)
  }
  const w = world()
  definitions(w, { name: 'one' })
  const pin = { fields: PIN_FIELDS }
  const at = door(
    w,
    house(
      { tools: only({ name: 'o*', pin }, { name: 'two', pin }) },
      { ...DEFAULT_PINNING, newFeatures: 'quarantine' },
    ),
  )
  await at.list()
  definitions(w, { name: 'one' }, { name: 'two' }, { name: 'other' })
  w.upstreams.announce('server-a', 'tools')
  assert.equal(await at.list(), ['one', 'two'])
})

test('a server that had nothing when it was first seen has begun all the same', async () => {
  const w = world()
  definitions(w)
  const at = door(w, house({}, { ...TOFU, newFeatures: 'quarantine' }))
  await at.list()
  definitions(w, { name: 'late' })
  w.upstreams.announce('server-a', 'tools')
  assert.equal(await at.list(), [])
})

test('a decision of another replica holds once the configuration is followed', async () => {
  const w = world()
  definitions(w, { name: 'x', description: 'one' })
  const [here, there] = [door(w, house({}, TOFU)), door(w, house({}, TOFU))]
  await Promise.all([here.list(), there.list()])
  assert.equal(told(w), ['trusted x'], 'once over both')
  const next = { name: 'x', description: 'two' }
  definitions(w, next)
  w.upstreams.announce('server-a', 'tools')
  assert.equal([await here.list(), await there.list()], [[], []])
  assert.equal(told(w), ['trusted x', 'changed x'])
  w.features.approve('assignment-a', 'tool', { name: 'x', hashes: hashesOf(next, 'name') })
  await there.approvals.follow()
  assert.is(await there.find('x'), 'x')
  w.features.away = true
  assert.is(await refusal(here.approvals.follow()), 'GH_DB_UNAVAILABLE')
})

test('two credentials that see a feature differently share one approval: the second sees it not', async () => {
  const w = world()
  w.upstreams.on('a', TOOLS, (_, { key }) => ({ tools: [{ name: 'x', description: `for ${key}` }] }))
  const at = door(w, house({}, TOFU))
  assert.equal(await at.list('tools', accessAs('ann')), ['x'])
  assert.equal(await at.list('tools', accessAs('bob')), [])
})

test('a gateway that shows everything keeps no approvals and asks for none', async () => {
  const w = world()
  w.features.away = true
  w.upstreams.lists('a', TOOLS, ['find'])
  const at = door(w, house({}))
  assert.equal(await at.list(), ['find'])
  assert.is(await at.find('find'), 'find')
  assert.is(at.approvals.peek('gateway-1'), undefined)
})

test('a preview says of each feature whether it exists and why', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find', 'drop'])
  const of = house({ tools: only('find') })
  const at = door(w, of)
  const target = open.target(of.assignments[0]!)
  if ('state' in target) throw new Error('it is open')
  const shown = await at.catalog.preview(of.assignments[0]!, 'tools', {
    gatewayId: 'gateway-1',
    target,
    deadline: w.clock.now + MINUTE,
  })
  assert.equal(
    shown.map(({ name, judgement }) => [name, judgement.exposed, judgement.why]),
    [
      ['find', true, 'selected'],
      ['drop', false, 'not_selected'],
    ],
  )
})

test.run()
