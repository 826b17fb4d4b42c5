import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import type { GatehouseError } from '../errors.js'
import { hall } from '../listening/testing.js'
import { until } from '../test/until.js'
import { open, plan, world } from '../upstream/catalog-testing.js'
import type { Target } from '../upstream/types.js'
import { createListen } from './listen.js'
import { inSession } from './testing.js'

const ID = 'io.modelcontextprotocol/subscriptionId'
const settled = (what: string, fact: () => boolean) => until(what, () => (fact() ? true : undefined))
const CAPABILITIES = { tools: {}, resources: { subscribe: true } }

function bench({ patienceMs = 500, capabilities = CAPABILITIES as JsonObject } = {}) {
  const w = world()
  w.upstreams.infos.set('a', { era: 'modern', capabilities })
  w.upstreams.lists('a', 'resources/list', ['x:1', 'x:2'])
  const gateway = plan(['a'])
  const { audience, subscriptions, stop } = hall(gateway, w)
  const listen = createListen({
    enter: audience.enter,
    accessOf: () => open,
    capabilities: async () => capabilities,
    pass: async ({ params }) => (params['uri'] === 'x:2' ? null : params),
    patienceMs,
  })
  const target = open.target(gateway.assignments[0]!) as Target
  const begin = async (notifications: unknown, id: string | number = 7) => {
    const notes: JsonObject[] = []
    const gone = Object.assign(new Cancel(), { signal: () => new AbortController().signal })
    const params = { notifications } as JsonObject
    const call = inSession(gateway, {
      ...{ era: 'modern', id, method: 'subscriptions/listen', params, gone },
      notify: (note) => notes.push(note),
    })
    const { acknowledged, tell } = await listen.open(call)
    return { notes, gone, tell, granted: (acknowledged['params'] as JsonObject)['notifications'], acknowledged }
  }
  return {
    ...{ w, listen, begin, stop },
    update: (uri: string) => subscriptions.note(target, { method: 'notifications/resources/updated', params: { uri } }),
  }
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (thrown: unknown) => (thrown as GatehouseError).code,
  )
const methods = (notes: readonly JsonObject[]) => notes.map(({ method }) => method)

test('first it is said what will be told, of what was asked and is to be had', async () => {
  const { begin, stop } = bench()
  const asked = {
    ...{ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: false, unheardOf: true },
    resourceSubscriptions: ['x:1', 'nowhere:1', 'x:1'],
  }
  const { acknowledged, granted } = await begin(asked, '07')
  assert.equal(granted, { toolsListChanged: true, resourceSubscriptions: ['x:1', 'nowhere:1'] })
  assert.is(acknowledged['method'], 'notifications/subscriptions/acknowledged')
  assert.is(((acknowledged['params'] as JsonObject)['_meta'] as JsonObject)[ID], '07')
  stop()
})

test('each note bears the id of the request, with its type, and only what was asked for is told', async () => {
  const { w, begin, update, stop } = bench()
  const [one, two] = [
    await begin({ toolsListChanged: true }, 0),
    await begin({ resourcesListChanged: true, resourceSubscriptions: ['x:1'] }, '0'),
  ]
  for (const { tell } of [one, two]) void tell()
  w.upstreams.announce('server-a', 'tools')
  w.upstreams.announce('server-a', 'resources')
  update('x:1')
  await settled('all is told', () => two.notes.length === 2)
  assert.equal(one.notes, [
    { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: { [ID]: 0 } } },
  ])
  assert.equal(two.notes, [
    { jsonrpc: '2.0', method: 'notifications/resources/list_changed', params: { _meta: { [ID]: '0' } } },
    { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'x:1', _meta: { [ID]: '0' } } },
  ])
  stop()
})

test('what happens before the acknowledgement has gone out is told behind it', async () => {
  const { w, begin, stop } = bench()
  const { notes, tell } = await begin({ toolsListChanged: true })
  w.upstreams.announce('server-a', 'tools')
  assert.equal(notes, [])
  void tell()
  assert.equal(methods(notes), ['notifications/tools/list_changed'])
  stop()
})

test('what a rule blocks is not told', async () => {
  const { w, begin, update, stop } = bench()
  const { notes, tell } = await begin({ toolsListChanged: true, resourceSubscriptions: ['x:2'] })
  void tell()
  update('x:2')
  await new Promise((resolve) => setImmediate(resolve))
  w.upstreams.announce('server-a', 'tools')
  await settled('it is told', () => notes.length > 0)
  assert.equal(methods(notes), ['notifications/tools/list_changed'])
  stop()
})

test('a slow server delays it for no longer than was said, and what it may have changed meanwhile is told', async () => {
  const { w, begin, stop } = bench({ patienceMs: 30 })
  let answer: () => void = () => undefined
  const { listen } = w.upstreams
  w.upstreams.listen = async (...asked) => {
    await new Promise<void>((resolve) => (answer = resolve))
    return listen.apply(w.upstreams, asked)
  }
  const { notes, granted, tell } = await begin({ toolsListChanged: true, resourceSubscriptions: ['x:1'] })
  assert.equal(granted, { toolsListChanged: true, resourceSubscriptions: ['x:1'] }, 'the caller may read it')
  void tell()
  assert.equal(notes, [])
  answer()
  await settled('it is told', () => notes.length > 0)
  assert.equal(methods(notes), ['notifications/tools/list_changed'])
  stop()
})

test('a filter of which nothing is granted ends at once, with its result', async () => {
  const { begin, stop } = bench({ capabilities: {} })
  const { granted, tell } = await begin({ toolsListChanged: true })
  assert.equal(granted, {})
  assert.equal(await tell(), { resultType: 'complete', _meta: { [ID]: 7 } })
  stop()
})

test('it lasts until its client goes away, or the gateway ends it with a result; then nothing is held', async () => {
  const { w, begin, listen, stop } = bench()
  const filter = { toolsListChanged: true, resourceSubscriptions: ['x:1'] }
  const [left, stays] = [await begin(filter, 'left'), await begin(filter, 'stays')]
  const ends = [left.tell(), stays.tell()]
  left.gone.tell()
  await ends[0]
  w.upstreams.announce('server-a', 'tools')
  assert.equal([left.notes.length, stays.notes.length], [0, 1])
  listen.stop()
  assert.equal(await ends[1], { resultType: 'complete', _meta: { [ID]: 'stays' } })
  await settled('nothing is watched', () => w.upstreams.heard.get('a')?.length === 0)
  stop()
})

test('a filter that is none is refused', async () => {
  const { begin, stop } = bench()
  const wrong = [
    ...[undefined, null, [], 'all', { toolsListChanged: 'yes' }, { resourceSubscriptions: 'x:1' }],
    ...[{ resourceSubscriptions: [1] }, { resourceSubscriptions: Array.from({ length: 1_001 }, (_, n) => `x:${n}`) }],
    { resourceSubscriptions: [`x:${'y'.repeat(64 * 1024)}`] },
  ]
  for (const filter of wrong)
    assert.is(await codeOf(begin(filter)), 'GH_DOOR_PARAMS', JSON.stringify(filter)?.slice(0, 40))
  stop()
})

test('a legacy client has no such method, and one that takes no event streams cannot be answered', async () => {
  const { listen, stop } = bench()
  const params = { notifications: {} }
  const call = inSession(plan(['a']), { method: 'subscriptions/listen', params, notify: () => undefined })
  assert.is(await codeOf(listen.open(call)), 'GH_DOOR_UNKNOWN_METHOD')
  assert.is(await codeOf(listen.open({ ...call, era: 'modern', notify: null })), 'GH_DOOR_ACCEPT')
  stop()
})

test.run()
