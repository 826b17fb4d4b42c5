import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { GatewayPlan } from '../domain/snapshot.js'
import { accessAs, accessBut, entry, open, plan, start, world } from './catalog-testing.js'
import type { World } from './catalog-testing.js'
import type { Access, Catalog } from './catalog-types.js'

const TOOLS = 'tools/list'
const RESOURCES = 'resources/list'
const TEMPLATES = 'resources/templates/list'
const MINUTE = 60_000

function door(w: World, catalog: Catalog, of: GatewayPlan) {
  const deadline = () => w.clock.now + MINUTE
  const brief = async (kind: FeatureKind, name: string, access: Access = open) => {
    const feature = await catalog.resolve(of, kind, name, access, deadline())
    return feature === null ? null : [feature.assignment.prefix, feature.name]
  }
  return {
    tool: (name: string, access?: Access) => brief('tool', name, access),
    prompt: (name: string) => brief('prompt', name),
    resource: (uri: string, access?: Access) => brief('resource', uri, access),
    list: (access: Access = open) => catalog.list(of, 'tools', access, deadline()),
    now: (name: string, access: Access = open) => catalog.resolveNow(of, 'tool', name, access),
  }
}

test('a public name leads to the server’s own name and definition, without asking when it is known', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['find'])
  const at = door(w, start(w), plan(['a', 'b']))
  assert.is(at.now('find'), undefined)
  await at.list()
  const feature = at.now('b__find')
  assert.equal(
    [feature?.assignment.prefix, feature?.name, feature?.publicName, feature?.definition],
    ['b', 'find', 'b__find', entry(TOOLS, 'find')],
  )
})

test('a name that was never listed here is asked for before it is unknown', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('a', 'prompts/list', ['greet'])
  const at = door(w, start(w), plan(['a']))
  assert.equal(await at.tool('find'), ['a', 'find'])
  assert.equal(await at.prompt('greet'), ['a', 'greet'])
  assert.is(await at.tool('greet'), null)
})

test('a new tool is found once the list is stale, and an unknown one does not make fresh servers be asked', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['old'])
  const at = door(w, start(w), plan(['a']))
  await at.list()
  w.upstreams.lists('a', TOOLS, ['old', 'new'])
  assert.is(await at.tool('new'), null)
  assert.is(w.upstreams.timesAsked('a'), 1)
  w.clock.now += 2 * MINUTE
  assert.equal(await at.tool('new'), ['a', 'new'])
})

test('a tool that its server no longer lists is unknown', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['gone', 'kept'])
  const at = door(w, start(w), plan(['a']))
  await at.list()
  w.upstreams.lists('a', TOOLS, ['kept'])
  w.upstreams.announce('server-a', 'tools')
  await at.list()
  assert.is(at.now('gone'), null)
  assert.is(await at.tool('gone'), null)
})

test('a tool of a server that is down stays known, so that the call can name the server', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['x'])
  await door(w, start(w), plan(['a', 'b'])).list()
  w.upstreams.fails('a', TOOLS)
  w.lists.saved.clear()
  const at = door(w, start(w), plan(['a', 'b']))
  assert.equal(await at.tool('find'), ['a', 'find'])
  assert.is(w.upstreams.timesAsked('b'), 1, 'nobody else is asked')
  w.clock.now += 24 * 60 * MINUTE
  assert.equal(await at.tool('find'), ['a', 'find'])
})

test('a tool of a server that is disabled or waits for a credential stays known', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const at = door(w, start(w), plan(['a']))
  await at.list(accessAs('ann'))
  for (const state of ['disabled', 'connect_required'] as const) {
    const feature = at.now('find', accessBut('a', { state, reason: '' }))
    assert.equal([feature?.assignment.prefix, feature?.definition], ['a', null])
  }
})

test('a tool that only another user’s credential sees has no definition to show', async () => {
  const w = world()
  w.upstreams.on('a', TOOLS, (_, { key }) => ({ tools: [{ name: `of-${key}` }] }))
  const at = door(w, start(w), plan(['a']))
  await at.list(accessAs('ann'))
  await at.list(accessAs('bob'))
  assert.is(at.now('of-ann', accessAs('bob')), null)
  assert.equal(at.now('of-ann', accessAs('ann'))?.definition, { name: 'of-ann' })
})

test('an assignment that left the gateway takes its names along', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find']).lists('b', TOOLS, ['other'])
  const catalog = start(w)
  await door(w, catalog, plan(['a', 'b'])).list()
  assert.is(await door(w, catalog, plan(['b'])).tool('find'), null)
})

test('a name that another replica gave is found while its server is down', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['old'])
  const here = door(w, start(w), plan(['a']))
  await here.list()
  w.upstreams.lists('a', TOOLS, ['old', 'new'])
  await door(w, start(w), plan(['a'])).list()
  w.upstreams.fails('a', TOOLS)
  w.clock.now += 2 * MINUTE
  assert.equal(await here.tool('new'), ['a', 'new'])
})

test('a resource is found by its bare URI, and that of a later comer by its prefix', async () => {
  const w = world()
  w.upstreams.lists('a', RESOURCES, ['file:///x']).lists('b', RESOURCES, ['file:///x', 'file:///y'])
  const at = door(w, start(w), plan(['a', 'b']))
  assert.equal(await at.resource('file:///x'), ['a', 'file:///x'])
  assert.equal(await at.resource('gh+b+file:///x'), ['b', 'file:///x'])
  assert.equal(await at.resource('file:///y'), ['b', 'file:///y'])
  assert.equal(await at.resource('gh+b+file:///never-listed'), ['b', 'file:///never-listed'])
  assert.is(await at.resource('gh+c+file:///x'), null)
  assert.is(await at.resource('file:///nowhere'), null)
})

test('a server cannot list its way in front of another’s prefix', async () => {
  const w = world()
  w.upstreams.lists('evil', RESOURCES, ['gh+crm+file:///x', 'ui://crm+app']).lists('crm', RESOURCES, ['file:///x'])
  const catalog = start(w)
  const gateway = plan(['evil', 'crm'])
  const at = door(w, catalog, gateway)
  assert.equal(await at.resource('file:///x'), ['crm', 'file:///x'])
  assert.equal(await at.resource('gh+crm+file:///x'), ['crm', 'file:///x'])
  assert.equal(await at.resource('ui://crm+app'), ['crm', 'ui://app'])
  const { items } = await catalog.list(gateway, 'resources', open, w.clock.now + MINUTE)
  for (const { entry, feature } of items)
    assert.equal(await at.resource(String(entry.uri)), [feature.assignment.prefix, feature.name])
})

test('asking for unknown names does not make the database be asked each time', async () => {
  const w = world()
  w.upstreams.lists('a', TOOLS, ['find'])
  const at = door(w, start(w), plan(['a']))
  for (let count = 0; count < 10; count++) assert.is(await at.tool(`guess-${count}`), null)
  assert.ok(w.names.loads <= 2)
})

test('a URI that fits a template goes to the template’s server, bare or prefixed', async () => {
  const w = world()
  for (const slug of ['a', 'b']) w.upstreams.lists(slug, TEMPLATES, ['note://{id}/text'])
  w.upstreams.lists('b', RESOURCES, ['note://7/text'])
  const at = door(w, start(w), plan(['a', 'b']))
  assert.equal(await at.resource('note://1/text'), ['a', 'note://1/text'])
  assert.equal(await at.resource('gh+b+note://1/text'), ['b', 'note://1/text'])
  assert.equal(await at.resource('note://7/text'), ['b', 'note://7/text'])
  assert.equal(await at.resource('note://{id}/text'), ['a', 'note://{id}/text'])
  assert.equal(await at.resource('gh+b+note://{id}/text'), ['b', 'note://{id}/text'])
})

test('an unlisted URI goes to the only server there is, or the only one with resources', async () => {
  const w = world()
  w.upstreams.lists('a', RESOURCES, ['x:1']).lists('b', TOOLS, ['t'])
  assert.equal(await door(w, start(w), plan(['b'])).resource('x:9'), ['b', 'x:9'])
  assert.equal(await door(w, start(w), plan(['a', 'b'])).resource('x:9'), ['a', 'x:9'])
})

test('every public URI of a server leads back to it, whichever server said it', async () => {
  const uris = ['x:shared', 'x:a', 'x:b', 'x:unlisted', 't://1', 'gh+b+x:a', 'ui://app', 'ui://a+x']
  for (const prefix of ['collision', 'always'] as const)
    for (const slugs of [['a', 'b'], ['a']]) {
      const w = world()
      w.upstreams.lists('a', RESOURCES, ['x:shared', 'x:a', 'ui://app']).lists('b', RESOURCES, ['x:shared', 'x:b'])
      w.upstreams.lists('b', TEMPLATES, ['t://{id}'])
      const catalog = start(w)
      const gateway = plan(slugs, { prefix })
      const at = door(w, catalog, gateway)
      await at.resource('load:them')
      for (const assignment of gateway.assignments)
        for (const uri of uris) {
          const said = catalog.publicUris(gateway, assignment)(uri)
          assert.equal(await at.resource(said), [assignment.prefix, uri], `${prefix} ${said}`)
        }
    }
})

test('a gateway of one server that has no prefix changes no URI', async () => {
  const w = world()
  w.upstreams.lists('a', RESOURCES, ['gh+x+y:1'])
  const catalog = start(w)
  const gateway = plan(['a'], { prefix: 'never' })
  const at = door(w, catalog, gateway)
  const [assignment] = gateway.assignments
  assert.equal(await at.resource('gh+x+y:1'), ['a', 'gh+x+y:1'])
  assert.equal(await at.resource('gh+a+y:1'), ['a', 'gh+a+y:1'])
  assert.is(assignment && catalog.publicUris(gateway, assignment)('gh+a+y:1'), 'gh+a+y:1')
})

test('the URI of a resource stays the same while a server is down', async () => {
  const w = world()
  w.upstreams.lists('a', RESOURCES, ['x:1']).lists('b', RESOURCES, ['x:1'])
  const gateway = plan(['a', 'b'])
  await door(w, start(w), gateway).resource('x:1')
  w.upstreams.fails('a', RESOURCES).fails('a', TEMPLATES)
  w.lists.saved.clear()
  const catalog = start(w)
  const listing = await catalog.list(gateway, 'resources', open, w.clock.now + MINUTE)
  assert.equal(
    listing.items.map(({ entry }: { entry: JsonObject }) => entry.uri),
    ['gh+b+x:1'],
  )
  assert.equal(await door(w, catalog, gateway).resource('x:1'), ['a', 'x:1'])
})

test.run()
