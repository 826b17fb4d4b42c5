import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { accessAs, accessBut, open, plan, server, world } from '../upstream/catalog-testing.js'
import type { Access } from '../upstream/catalog-types.js'
import type { Target } from '../upstream/types.js'
import { LISTED, type Seat } from './seat.js'
import { hall } from './testing.js'

const settled = (what: string, fact: () => boolean) => until(what, () => (fact() ? true : undefined))
/** What its lists are is known: from now on doubts are compared with that. */
const looked = (...seats: readonly Seat[]) =>
  settled('its lists are known', () =>
    seats.every((seat) => LISTED.every((kind) => !seat.hears(kind) || seat.prints.has(kind))),
  )

test('what a server says of its list goes at once to whoever listens and sees it', async () => {
  const { w, enter, stop } = hall(plan(['a', 'b']))
  const all = enter()
  const deaf = enter()
  const without = enter(accessBut('a', { state: 'disabled', reason: 'off' }))
  const waiting = enter(accessBut('a', { state: 'connect_required', reason: 'no' }))
  const expired = enter(accessBut('a', { state: 'connect_required', reason: 'old', lastSeenAs: 'mine' }))
  for (const { seat } of [all, without, waiting, expired]) await seat.hear(LISTED)
  await deaf.seat.hear(['prompts'])
  w.upstreams.announce('server-a', 'tools')
  assert.equal([all.heard, expired.heard], [['tools'], ['tools']])
  assert.equal([deaf.heard, without.heard, waiting.heard], [[], [], []])
  w.upstreams.announce('server-elsewhere', 'tools')
  assert.is(all.heard.length, 1)
  stop()
})

test('a change of the apps of hidden tools is told to nobody, though all resources are shown', async () => {
  const w = world()
  w.upstreams.on('a', 'tools/list', () => ({
    tools: [{ name: 'shown' }, { name: 'hidden', _meta: { ui: { resourceUri: 'ui://hidden' } } }],
  }))
  w.upstreams.lists('a', 'resources/list', ['ui://hidden', 'file:///x']).lists('a', 'resources/templates/list', [])
  const tools = { mode: 'selected', allow: [{ name: 'shown' }] } as const
  const { enter, stop } = hall(plan([{ server: server('a'), provisioning: { tools } }]), w)
  const one = enter()
  await one.seat.hear(LISTED)
  await looked(one.seat)
  const change = (size: number, ...more: readonly string[]) => {
    const listed = ['file:///x', ...more].map((uri) => ({ uri }))
    w.upstreams.on('a', 'resources/list', () => ({ resources: [{ uri: 'ui://hidden', size }, ...listed] }))
    w.upstreams.announce('server-a', 'resources')
  }
  change(1)
  change(2, 'file:///y')
  await settled('a change of what is shown is told', () => one.heard.length > 0)
  const before = one.heard.length
  const asked = () => w.upstreams.asked.filter(({ method }) => method === 'resources/list').length
  const times = asked()
  change(3, 'file:///y')
  await settled('it is looked into', () => asked() > times)
  await looked(one.seat)
  assert.is(one.heard.length, before)
  stop()
})

test('a storm of changes is told twice a second', async () => {
  const { w, enter, stop } = hall(plan(['a']))
  const { seat, heard } = enter()
  await seat.hear(LISTED)
  const started = Date.now()
  for (let n = 0; n < 1_000; n++) w.upstreams.announce('server-a', 'tools')
  assert.equal(heard, ['tools'])
  await settled('the end of the storm is told', () => heard.length === 2)
  assert.ok(Date.now() - started >= 900)
  stop()
})

test('whoever has left, or does not listen any more, is told nothing', async () => {
  const { w, enter, stop } = hall(plan(['a']))
  const [gone, silent] = [enter(), enter()]
  for (const { seat } of [gone, silent]) await seat.hear(LISTED)
  gone.seat.leave()
  await silent.seat.hear([])
  w.upstreams.announce('server-a', 'tools')
  assert.equal([gone.heard, silent.heard], [[], []])
  stop()
})

test('a doubt is told to those whose visible list is another one', async () => {
  const w = world()
  w.upstreams.lists('a', 'tools/list', ['one'])
  const { enter, catalog, stop } = hall(plan(['a', 'b']), w)
  const [sees, blind] = [enter(), enter(accessBut('a', { state: 'disabled', reason: 'off' }))]
  for (const { seat } of [sees, blind]) await seat.hear(LISTED)
  await looked(sees.seat, blind.seat)
  catalog.drop('server-a')
  await settled(
    'it was asked again',
    () => w.upstreams.asked.filter(({ method }) => method === 'tools/list').length === 2,
  )
  await settled('the doubt is gone', () => sees.seat.doubted.size === 0)
  assert.equal(sees.heard, [], 'nothing has changed')
  w.upstreams.lists('a', 'tools/list', ['one', 'two'])
  catalog.drop('server-a')
  await settled('the change is told', () => sees.heard.length > 0)
  assert.equal([sees.heard, blind.heard], [['tools'], []])
  stop()
})

test('a server that joins or leaves the gateway is told, an unrelated change is not', async () => {
  const w = world()
  w.upstreams.lists('a', 'tools/list', ['one']).lists('b', 'tools/list', ['two']).lists('b', 'resources/list', ['x:1'])
  const { enter, swap, stop } = hall(plan(['a']), w)
  const { seat, heard } = enter()
  await seat.hear(LISTED)
  await looked(seat)
  const asked = w.upstreams.asked.length
  swap(plan(['a'], { title: 'Another' }))
  assert.equal([...seat.doubted], [])
  assert.is(w.upstreams.asked.length, asked, 'and nobody is asked for that')
  swap(plan(['a', 'b']))
  await settled('both lists are told', () => heard.length === 2)
  assert.equal(heard.toSorted(), ['resources', 'tools'], 'its prompts are none, as before')
  swap(null)
  stop()
})

test('a late answer is told', async () => {
  const w = world({ list: 30 })
  let answer: () => void = () => undefined
  w.upstreams.on('slow', 'tools/list', async () => {
    await new Promise<void>((resolve) => (answer = resolve))
    return { tools: [{ name: 'late' }] }
  })
  const { enter, stop } = hall(plan(['slow']), w)
  const { seat, heard } = enter()
  await seat.hear(['tools'])
  await looked(seat)
  answer()
  await settled('it is told', () => heard.length > 0)
  assert.equal(heard, ['tools'])
  stop()
})

test('thousands who see the same are looked after by one question', async () => {
  const w = world()
  w.upstreams.lists('a', 'tools/list', ['one'])
  const { enter, catalog, stop } = hall(plan(['a']), w)
  const many = Array.from({ length: 2_000 }, () => enter())
  await Promise.all(many.map(({ seat }) => seat.hear(['tools'])))
  await looked(...many.map(({ seat }) => seat))
  w.upstreams.lists('a', 'tools/list', ['one', 'two'])
  catalog.drop('server-a')
  await settled('all are told', () => many.every(({ heard }) => heard.length === 1))
  assert.is(w.upstreams.asked.filter(({ method }) => method === 'tools/list').length, 2)
  stop()
})

/** A modern server that tells of resources. */
function resourceful() {
  const w = world()
  w.upstreams.infos.set('a', { era: 'modern', capabilities: { resources: { subscribe: true } } })
  w.upstreams.lists('a', 'resources/list', ['x:1', 'x:2'])
  return w
}
const targetOf = (access: Access, of = plan(['a'])) => access.target(of.assignments[0]!) as Target
const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } })

test('updates of a resource are told to whoever watches it, under the name that they know', async () => {
  const w = resourceful()
  const gateway = plan(['b', 'a'], { prefix: 'always' })
  const { enter, subscriptions, catalog, stop } = hall(gateway, w)
  await catalog.list(gateway, 'resources', open, w.clock.now + 5_000)
  const [one, other] = [enter(), enter()]
  assert.is(await one.seat.watch('gh+a+x:1'), 'granted')
  assert.is(await other.seat.watch('gh+a+x:2'), 'granted')
  subscriptions.note(targetOf(open), updated('x:1'))
  assert.equal(
    one.updates.map(({ uri, name, params }) => [uri, name, params]),
    [['gh+a+x:1', 'x:1', { uri: 'x:1' }]],
  )
  assert.equal(other.updates, [])
  one.seat.unwatch('gh+a+x:1')
  subscriptions.note(targetOf(open), updated('x:1'))
  assert.is(one.updates.length, 1)
  stop()
})

test('an update of a part that is hidden names what is watched, and nothing of the part', async () => {
  const w = resourceful()
  w.upstreams.lists('a', 'resources/list', ['x:1', 'x:1/shown', 'x:1/hidden'])
  const allow = [{ name: 'x:1' }, { name: 'x:1/shown' }]
  const gateway = plan([{ server: server('a'), provisioning: { resources: { mode: 'selected', allow } } }])
  const { enter, subscriptions, catalog, stop } = hall(gateway, w)
  await catalog.list(gateway, 'resources', open, w.clock.now + 5_000)
  await catalog.list(gateway, 'templates', open, w.clock.now + 5_000)
  const { seat, updates } = enter()
  assert.is(await seat.watch('x:1'), 'granted')
  assert.is(await seat.watch('x:1/hidden'), 'unknown')
  subscriptions.note(targetOf(open, gateway), updated('x:1/shown'))
  subscriptions.note(targetOf(open, gateway), updated('x:1/hidden'))
  await until('both are told', () => (updates.length === 2 ? true : undefined))
  assert.equal(
    updates.map(({ params }) => params.uri),
    ['x:1/shown', 'x:1'],
  )
  stop()
})

test('who may not see a server has no such resource, and one that tells of none refuses', async () => {
  const w = resourceful()
  w.upstreams.lists('b', 'resources/list', ['y:1'])
  const { enter, infos, catalog, stop } = hall(plan(['a', 'b']), w)
  await catalog.list(plan(['a', 'b']), 'resources', open, w.clock.now + 5_000)
  const { seat } = enter(accessBut('a', { state: 'disabled', reason: 'off' }))
  assert.is(await seat.watch('x:1'), 'unknown')
  await infos.learn([targetOf(open, plan(['b']))], 1_000)
  assert.is(await enter().seat.watch('y:1'), 'refused')
  stop()
})

test('what one may not see any more is not told, though the server goes on telling it', async () => {
  const w = resourceful()
  let isOff = false
  const access: Access = {
    target: (assignment) => (isOff ? { state: 'disabled', reason: 'off' } : open.target(assignment)),
  }
  const { enter, subscriptions, stop } = hall(plan(['a']), w)
  const { seat, updates } = enter(access)
  await seat.watch('x:1')
  isOff = true
  subscriptions.note(targetOf(open), updated('x:1'))
  assert.equal(updates, [])
  isOff = false
  subscriptions.note(targetOf(open), updated('x:1'))
  assert.is(updates.length, 1)
  stop()
})

test('another’s credential hears nothing of mine', async () => {
  const w = resourceful()
  const { enter, subscriptions, stop } = hall(plan(['a']), w)
  const { seat, updates } = enter(accessAs('mine'))
  await seat.watch('x:1')
  subscriptions.note(targetOf(accessAs('theirs')), updated('x:1'))
  assert.equal(updates, [])
  stop()
})

test('after a change of the server it is watched anew, and through an unrelated one without a gap', async () => {
  const w = resourceful()
  const { enter, subscriptions, audience, swap, stop } = hall(plan(['a']), w)
  const { seat, updates } = enter()
  await seat.watch('x:1')
  const told: (readonly string[])[] = []
  const { listen } = w.upstreams
  w.upstreams.listen = (target, uris) => (told.push([...uris]), listen.call(w.upstreams, target, uris))
  swap(plan(['a'], { title: 'Another' }))
  await seat.watch('x:1')
  assert.ok(
    told.every((uris) => uris.includes('x:1')),
    'it was let go of for a moment',
  )
  const changed = server('a', { updatedAt: '2026-09-02T00:00:00Z' })
  audience.drop('server-a')
  swap(plan([{ server: changed }]))
  await seat.watch('x:1')
  subscriptions.note(targetOf(open, plan([{ server: changed }])), updated('x:1'))
  assert.is(updates.length, 1)
  seat.leave()
  await settled('nothing is wanted any more', () => w.upstreams.heard.get('a')?.length === 0)
  stop()
})

test.run()
