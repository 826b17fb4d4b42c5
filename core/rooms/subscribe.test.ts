import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inspected, InSession, LegacySession } from '../call.js'
import type { GatehouseError } from '../errors.js'
import type { SessionChange } from '../mcp/sessions.js'
import { NO_ABILITY } from '../upstream/ability.js'
import { plan } from '../upstream/catalog-testing.js'
import { createSubscribe } from './subscribe.js'
import { inSession, routed } from './testing.js'

const house = plan(['crm'])
const SESSION: LegacySession = {
  ...{ id: 's', version: '2025-11-25', connectionId: 'c', gatewayId: 'g', capabilities: {}, logLevel: null },
  client: { name: null, version: null },
  subscriptions: ['x:old'],
}
type Outcome = 'granted' | 'refused' | 'unknown'

function bench(outcome: Promise<Outcome> | null = Promise.resolve('granted'), isLive = true) {
  const changes: SessionChange[] = []
  const attended: (readonly string[])[] = []
  const subscribe = createSubscribe({
    async update(_, change) {
      changes.push(change)
      const rest = SESSION.subscriptions.filter((uri) => uri !== change.unsubscribe)
      const subscriptions = change.subscribe === undefined ? rest : [...rest, change.subscribe]
      return isLive ? { ...SESSION, subscriptions } : null
    },
    attend: (session) => attended.push(session.subscriptions),
    watched: () => outcome,
    patienceMs: 30,
  })
  const setting = (method: string, params: JsonObject): InSession => ({
    ...inSession(house, { method, params }),
    session: SESSION,
  })
  const resource = (uri: string): Inspected => {
    const call = routed(house, uri, { method: 'resources/subscribe' })
    const target = { server: house.assignments[0]!.server, key: 'public', ability: NO_ABILITY, secrets: never }
    return { ...call, room: 'inspected', session: SESSION, target } as Inspected
  }
  return {
    ...{ changes, attended },
    set: (method: string, params: JsonObject = {}) => subscribe.set(setting(method, params)),
    subscribe: (uri: string) => subscribe.resource(resource(uri)),
    without: () => subscribe.set({ ...setting('logging/setLevel', { level: 'info' }), session: null }),
  }
}
const never = () => new Promise<never>(() => undefined)
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (thrown: unknown) => (thrown as GatehouseError).code,
  )

test('a level that there is holds for the session, another is refused', async () => {
  const { set, changes } = bench()
  assert.equal(await set('logging/setLevel', { level: 'warning' }), {})
  for (const level of ['loud', 'WARNING', 4, undefined])
    assert.is(await codeOf(set('logging/setLevel', { level } as JsonObject)), 'GH_DOOR_PARAMS', String(level))
  assert.equal(changes, [{ logLevel: 'warning' }])
})

test('a resource that the server tells of is among the subscriptions', async () => {
  const { subscribe, changes, attended } = bench()
  assert.equal(await subscribe('x:1'), {})
  assert.equal([changes, attended], [[{ subscribe: 'x:1' }], [['x:old', 'x:1']]])
})

test('a server that is slow to say so is not waited for, and the subscription stays', async () => {
  const { subscribe, changes } = bench(never())
  assert.equal(await subscribe('x:1'), {})
  assert.equal(changes, [{ subscribe: 'x:1' }])
})

for (const [outcome, code] of [
  ['refused', 'GH_DOOR_PARAMS'],
  ['unknown', 'GH_ROUTE_RESOURCE'],
] as const)
  test(`what turns out to be ${outcome} is said, and is no subscription`, async () => {
    const { subscribe, changes, attended } = bench(Promise.resolve(outcome))
    assert.is(await codeOf(subscribe('x:1')), code)
    assert.equal(changes, [{ subscribe: 'x:1' }, { unsubscribe: 'x:1' }])
    assert.equal(attended.at(-1), ['x:old'])
  })

test('a URI that no database keeps is an unknown resource', async () => {
  const { subscribe, changes } = bench()
  for (const uri of ['x:\0', 'x:\ud800']) assert.is(await codeOf(subscribe(uri)), 'GH_ROUTE_RESOURCE')
  assert.equal(changes, [])
})

test('unsubscribing needs no right to the resource, and none that was never there', async () => {
  const { set, changes } = bench()
  assert.equal(await set('resources/unsubscribe', { uri: 'x:old' }), {})
  assert.equal(await set('resources/unsubscribe', { uri: 'x:never' }), {})
  assert.equal(changes, [{ unsubscribe: 'x:old' }])
  assert.is(await codeOf(set('resources/unsubscribe', {})), 'GH_DOOR_PARAMS')
})

test('a session that has ended meanwhile is unknown, and no session has no such methods', async () => {
  const { set, without } = bench(null, false)
  assert.is(await codeOf(set('logging/setLevel', { level: 'info' })), 'GH_SESSION_UNKNOWN')
  assert.is(await codeOf(without()), 'GH_DOOR_UNKNOWN_METHOD')
})

test.run()
