import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { until } from '../test/until.js'
import { FakeUpstreams, accessAs, plan, server } from './catalog-testing.js'
import { createSubscriptions } from './subscriptions.js'
import type { Target, UpstreamReply } from './types.js'

const targetOf = (slug: string, key = 'public', changes: Parameters<typeof server>[1] = {}) =>
  accessAs(key).target(plan([{ server: server(slug, changes) }]).assignments[0]!) as Target
const UPDATED = 'notifications/resources/updated'
const updated = (uri: string) => ({ method: UPDATED, params: { uri } })

/** A legacy server `old` and a modern one `new`; what they are told is in `said`. */
function bench(timing: { retry?: number; pulse?: number } = {}) {
  const upstreams = new FakeUpstreams()
  upstreams.infos.set('new', { era: 'modern' })
  const said: string[] = []
  const refused = new Set<string>()
  let isDown = false
  upstreams.request = async (target, { method, params }): Promise<UpstreamReply> => {
    if (isDown) throw new GatehouseError('GH_UPSTREAM_UNREACHABLE')
    said.push(`${target.key} ${method} ${String(params['uri'] ?? '')}`.trim())
    const error = refused.has(String(params['uri'])) ? { code: -32002, message: 'no' } : null
    const result = error === null ? {} : null
    return { result, error, era: 'legacy', httpStatus: 200, bytesSent: 1, bytesReceived: 1 }
  }
  const info = upstreams.info.bind(upstreams)
  upstreams.info = (target) => (isDown ? Promise.reject(new GatehouseError('GH_UPSTREAM_UNREACHABLE')) : info(target))
  const subscriptions = createSubscriptions({ upstreams, log: { warn() {} }, timing })
  const heard: JsonObject[] = []
  const watch = (target: Target, uri: string) => subscriptions.watch(target, uri, (params) => heard.push(params))
  return { upstreams, subscriptions, said, refused, heard, watch, goDown: (down: boolean) => (isDown = down) }
}
const settled = (fact: () => boolean) => until('it has settled', () => (fact() ? true : undefined))

test('a legacy server is subscribed to once, whoever wants to hear, and unsubscribed from by the last', async () => {
  const { subscriptions, said, heard, watch } = bench()
  const old = targetOf('old')
  const [one, two] = [watch(old, 'a:1'), watch(old, 'a:1')]
  assert.equal(await Promise.all([one.ready, two.ready]), ['granted', 'granted'])
  assert.equal(said, ['public resources/subscribe a:1'])
  subscriptions.note(old, updated('a:1'))
  assert.equal(heard, [{ uri: 'a:1' }, { uri: 'a:1' }])
  one.release()
  one.release()
  subscriptions.note(old, updated('a:1'))
  assert.is(heard.length, 3)
  two.release()
  await settled(() => said.length === 2)
  assert.is(said[1], 'public resources/unsubscribe a:1')
  subscriptions.note(old, updated('a:1'))
  assert.is(heard.length, 3)
})

test('a modern server is told the whole of what is wanted, and less afterwards', async () => {
  const { upstreams, watch } = bench()
  const target = targetOf('new')
  const [one, two] = [watch(target, 'a:1'), watch(target, 'a:2')]
  assert.equal(await Promise.all([one.ready, two.ready]), ['granted', 'granted'])
  assert.equal(upstreams.heard.get('new'), ['a:1', 'a:2'])
  one.release()
  await settled(() => upstreams.heard.get('new')?.length === 1)
  assert.equal(upstreams.heard.get('new'), ['a:2'])
})

test('each credential hears its own, and nobody hears another resource', async () => {
  const { subscriptions, heard, watch } = bench()
  const [mine, theirs] = [targetOf('old', 'mine'), targetOf('old', 'theirs')]
  await watch(mine, 'a:1').ready
  subscriptions.note(theirs, updated('a:1'))
  subscriptions.note(mine, updated('a:10'))
  assert.equal(heard, [])
})

test('what is within a resource is told to whoever watches the whole', async () => {
  const { subscriptions, heard, watch } = bench()
  const old = targetOf('old')
  await watch(old, 'file:///dir').ready
  await watch(old, 'file:///with/').ready
  for (const uri of ['file:///dir/a', 'file:///with/b', 'file:///directory']) subscriptions.note(old, updated(uri))
  assert.equal(heard, [{ uri: 'file:///dir/a' }, { uri: 'file:///with/b' }])
})

test('a note that names no resource is nobody’s', async () => {
  const { subscriptions, heard, watch } = bench()
  await watch(targetOf('old'), 'a:1').ready
  for (const params of [undefined, {}, { uri: 7 }])
    subscriptions.note(targetOf('old'), { method: UPDATED, ...{ params } } as JsonObject)
  assert.equal(heard, [])
})

test('what the server will not tell is refused, and asked for again by the next who wants it', async () => {
  const { refused, said, watch } = bench()
  refused.add('a:1')
  assert.is(await watch(targetOf('old'), 'a:1').ready, 'refused')
  refused.clear()
  assert.is(await watch(targetOf('old'), 'a:1').ready, 'granted')
  assert.is(said.length, 2)
})

test('a server that is down is told when it is back', async () => {
  const { said, watch, goDown } = bench({ retry: 5 })
  goDown(true)
  const { ready } = watch(targetOf('old'), 'a:1')
  await new Promise((resolve) => setImmediate(resolve))
  goDown(false)
  await settled(() => said.includes('public resources/subscribe a:1'))
  assert.is(await ready, 'granted')
})

test('what a server has forgotten with its connection is asked for again', async () => {
  const { upstreams, said, watch } = bench()
  const old = targetOf('old')
  await Promise.all([watch(old, 'a:1').ready, watch(old, 'a:2').ready])
  upstreams.forgets(targetOf('old', 'another'))
  upstreams.forgets(old)
  await settled(() => said.length === 4)
  assert.equal(said.slice(2).toSorted(), said.slice(0, 2).toSorted())
})

test('a server whose word may have been missed is asked for a sign of life', async () => {
  const { upstreams, said, watch } = bench()
  const old = targetOf('old')
  await watch(old, 'a:1').ready
  upstreams.announce(old.server.id, 'tools', 'said')
  upstreams.announce(old.server.id, 'tools', 'missed')
  await settled(() => said.length === 2)
  assert.is(said[1], 'public ping')
})

test('a server that is held is looked after now and then, until nobody holds it', async () => {
  const { subscriptions, said } = bench({ pulse: 5 })
  const [mine, theirs] = ['mine', 'theirs'].map((key) => subscriptions.hold(targetOf('old', key)))
  await mine?.ready
  const pings = (key: string) => said.filter((one) => one === `${key} ping`).length
  await settled(() => pings('mine') >= 2)
  mine?.release()
  const before = [pings('mine'), pings('theirs')] as const
  await settled(() => pings('theirs') >= before[1] + 3)
  assert.ok(pings('mine') <= before[0] + 1, 'one may have been under way')
  theirs?.release()
})

test('a command is not kept running for its lists', async () => {
  const { subscriptions, said, upstreams } = bench({ pulse: 5 })
  let dialled = 0
  upstreams.info = async () => {
    dialled += 1
    throw new Error('no')
  }
  await subscriptions.hold(targetOf('old', 'public', { url: null, command: ['x'] })).ready
  assert.equal([dialled, said], [0, []])
})

test('a server that was changed is left alone until it is wanted anew', async () => {
  const { subscriptions, said, heard, watch } = bench({ pulse: 5 })
  const old = targetOf('old')
  const wish = watch(old, 'a:1')
  await wish.ready
  subscriptions.drop(old.server.id)
  wish.release()
  subscriptions.note(old, updated('a:1'))
  assert.equal(heard, [])
  assert.not.ok(said.some((one) => one.includes('unsubscribe')))
  assert.is(await watch(targetOf('old', 'public', { updatedAt: '2026-10-02T00:00:00Z' }), 'a:1').ready, 'granted')
})

test.run()
