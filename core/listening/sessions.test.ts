import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LegacySession } from '../call.js'
import { PRINCIPAL } from '../rooms/testing.js'
import { until } from '../test/until.js'
import { open, plan, world } from '../upstream/catalog-testing.js'
import type { Target } from '../upstream/types.js'
import { createSessionListeners } from './sessions.js'
import { hall } from './testing.js'

const settled = (what: string, fact: () => boolean) => until(what, () => (fact() ? true : undefined))
const session = (subscriptions: readonly string[] = [], id = 's'): LegacySession => ({
  ...{ id, version: '2025-11-25', connectionId: 'c', gatewayId: 'gateway-1', capabilities: {}, logLevel: null },
  client: { name: null, version: null },
  subscriptions,
})
const UPDATED = 'notifications/resources/updated'

function bench({ patienceMs = 600_000, blocks = false } = {}) {
  const w = world()
  w.upstreams.infos.set('a', { era: 'modern', capabilities: { resources: { subscribe: true } } })
  w.upstreams.lists('a', 'resources/list', ['x:1', 'x:2'])
  const gateway = plan(['a'])
  const { audience, subscriptions, stop } = hall(gateway, w)
  const notes: (readonly [string, JsonObject])[] = []
  let standing: (sessionId: string, stands: boolean) => void = () => undefined
  const listeners = createSessionListeners({
    audience,
    lines: {
      note: (id, note) => notes.push([id, note]),
      onStanding: (listener) => void (standing = listener),
    },
    accessOf: () => open,
    pass: async ({ params }) => (blocks ? null : params),
    patienceMs,
  })
  const target = open.target(gateway.assignments[0]!) as Target
  return {
    ...{ w, listeners, notes },
    stand: (id: string, stands = true) => standing(id, stands),
    update: (uri: string) => subscriptions.note(target, { method: UPDATED, params: { uri } }),
    watched: () => w.upstreams.heard.get('a') ?? [],
    stop() {
      listeners.stop()
      stop()
    },
  }
}

test('a session hears of changed lists while its standing stream is open', async () => {
  const { w, listeners, notes, stand, stop } = bench()
  listeners.attend(session(), PRINCIPAL)
  w.upstreams.announce('server-a', 'tools')
  assert.equal(notes, [], 'it has no stream')
  stand('s')
  w.upstreams.announce('server-a', 'tools')
  assert.equal(notes, [['s', { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }]])
  stand('s', false)
  w.upstreams.announce('server-a', 'prompts')
  assert.is(notes.length, 1)
  stop()
})

test('what a session has set at another replica holds here, as far as it has spoken here', async () => {
  const { listeners, notes, update, watched, stop } = bench()
  listeners.changed(session(['x:1'], 'stranger'))
  listeners.attend(session(), PRINCIPAL)
  assert.equal(watched(), [])
  listeners.changed(session(['x:1']))
  await settled('it is watched', () => watched().includes('x:1'))
  update('x:1')
  await settled('it is told', () => notes.length > 0)
  listeners.changed(session())
  update('x:1')
  assert.equal(
    notes.map(([id]) => id),
    ['s'],
  )
  stop()
})

test('a stream of a session that never spoke here hears nothing', () => {
  const { w, notes, stand, stop } = bench()
  stand('stranger')
  w.upstreams.announce('server-a', 'tools')
  assert.equal(notes, [])
  stop()
})

test('a session whose stream is older than its first message hears from that on', () => {
  const { w, listeners, notes, stand, stop } = bench()
  stand('s')
  stand('left')
  stand('left', false)
  stand('over')
  listeners.ended('over')
  for (const id of ['s', 'left', 'over']) listeners.attend(session([], id), PRINCIPAL)
  w.upstreams.announce('server-a', 'tools')
  assert.equal(notes, [['s', { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }]])
  stop()
})

test('what a session has subscribed to is watched from its next message on, as after a restart', async () => {
  const { listeners, notes, update, stop } = bench()
  listeners.attend(session(['x:1']), PRINCIPAL)
  assert.is(await listeners.watched('s', 'x:1'), 'granted')
  assert.is(listeners.watched('s', 'x:2'), null)
  update('x:1')
  await settled('it is told', () => notes.length > 0)
  assert.equal(notes, [['s', { jsonrpc: '2.0', method: UPDATED, params: { uri: 'x:1' } }]])
  stop()
})

test('what it does not want any more, at whatever replica it said so, is let go of', async () => {
  const { listeners, watched, stop } = bench()
  listeners.attend(session(['x:1', 'x:2']), PRINCIPAL)
  await Promise.all(['x:1', 'x:2'].map((uri) => listeners.watched('s', uri)))
  listeners.attend(session(['x:2']), PRINCIPAL)
  await settled('it is let go of', () => watched().length === 1)
  assert.equal(watched(), ['x:2'])
  listeners.ended('s')
  await settled('with the session ends the rest', () => watched().length === 0)
  stop()
})

test('what is set at another replica holds here, for a session that is known here', async () => {
  const { listeners, watched, stop } = bench()
  listeners.changed(session(['x:2'], 'stranger'))
  listeners.attend(session(), PRINCIPAL)
  listeners.changed(session(['x:1']))
  await settled('it is watched', () => watched().length === 1)
  assert.equal(watched(), ['x:1'])
  stop()
})

test('two sessions do not end each other’s subscriptions', async () => {
  const { listeners, watched, notes, update, stop } = bench()
  for (const id of ['s', 't']) {
    listeners.attend(session(['x:1'], id), PRINCIPAL)
    await listeners.watched(id, 'x:1')
  }
  listeners.ended('s')
  update('x:1')
  await settled('the other is told', () => notes.length > 0)
  assert.equal([watched(), notes.map(([id]) => id)], [['x:1'], ['t']])
  stop()
})

test('what a rule blocks is not told', async () => {
  const { w, listeners, notes, stand, update, stop } = bench({ blocks: true })
  listeners.attend(session(['x:1']), PRINCIPAL)
  await listeners.watched('s', 'x:1')
  stand('s')
  update('x:1')
  await new Promise((resolve) => setImmediate(resolve))
  w.upstreams.announce('server-a', 'tools')
  assert.equal(
    notes.map(([, { method }]) => method),
    ['notifications/tools/list_changed'],
  )
  stop()
})

test('a session that neither speaks nor listens is served nothing, until it comes back', async () => {
  const { listeners, watched, stand, stop } = bench({ patienceMs: 40 })
  listeners.attend(session(['x:1'], 'silent'), PRINCIPAL)
  listeners.attend(session(['x:2'], 'standing'), PRINCIPAL)
  stand('standing')
  await settled('the silent one is let go of', () => watched().length === 1 && watched()[0] === 'x:2')
  listeners.attend(session(['x:1'], 'silent'), PRINCIPAL)
  await settled('it is back', () => watched().length === 2)
  stop()
})

test.run()
