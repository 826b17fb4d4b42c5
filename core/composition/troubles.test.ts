import type { Alert } from '@gatehouse/sdk'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Identity } from '../domain/nouns.js'
import { until } from '../test/until.js'
import { fault } from '../upstream/faults.js'
import { makeServer } from '../upstream/testing.js'
import type { Trouble } from '../upstream/watch.js'
import { PARTS } from './house.js'
import { emptyHouse } from './testing.js'
import { createSharedNames, createTroubles } from './troubles.js'

const server = makeServer({ id: 'id-crm', slug: 'crm' })
const lost = fault('GH_UPSTREAM_UNREACHABLE', 'crm', 'cannot be reached (ECONNREFUSED)')
const broken = (what: string) => fault('GH_UPSTREAM_PROTOCOL', 'crm', `broke the protocol: it sent ${what}`)
const unauthorised = fault('GH_UPSTREAM_AUTH', 'crm', 'refused the credential (HTTP 401)')
const refused = (key: string, whole = true): Trouble => ({ kind: 'refused', server, key, whole, fault: unauthorised })
const misbehaved = (what: string): Trouble => ({ kind: 'misbehaved', server, fault: broken(what) })
const DOWN: Trouble = { kind: 'down', server, fault: lost }
const UP: Trouble = { kind: 'up', server, wasDown: true }

function bench({ calm = 0 } = {}) {
  const clock = { now: 1_000_000 }
  const raised: Alert[] = []
  const resolved: string[] = []
  const { tell, stop } = createTroubles({
    raise: (alert) => void raised.push(alert),
    resolve: (type, key) => void resolved.push(`${type} ${key}`),
    sharedName: (key) => (key === 'mine' ? null : `shared ${key}`),
    now: () => clock.now,
    calm,
  })
  return { clock, raised, resolved, tell, stop }
}

test('a server that goes down raises an alert that names it and the reason; its answer resolves that one', async () => {
  const { raised, resolved, tell } = bench()
  tell(DOWN)
  assert.equal(raised, [
    {
      type: 'server_unreachable',
      severity: 'error',
      key: 'id-crm',
      message: 'Server "crm" cannot be reached (ECONNREFUSED)',
      serverId: 'id-crm',
      context: { server: 'crm', error: 'GH_UPSTREAM_UNREACHABLE' },
    },
  ])
  tell(UP)
  await until('it is resolved', () => resolved[0])
  assert.equal(resolved, ['server_unreachable id-crm'])
})

test('a server that falls again at once had not recovered', async () => {
  const { raised, resolved, tell } = bench({ calm: 30 })
  tell(DOWN)
  tell(UP)
  tell(DOWN)
  await pause(60)
  assert.equal([raised.length, resolved], [2, []], 'the second collapses into the first, which stands')
})

test('a server that was removed is no longer unreachable', async () => {
  const { resolved, tell } = bench()
  tell({ kind: 'gone', serverId: 'id-crm' })
  await until('it is resolved', () => resolved[0])
})

test('nothing is resolved once the gateway has stopped', async () => {
  const { resolved, tell, stop } = bench({ calm: 10 })
  tell(UP)
  stop()
  await pause(30)
  assert.equal(resolved, [])
})

test('a refused credential is an alert for each that is shared, none for that of a person', async () => {
  const { raised, resolved, tell } = bench()
  for (const key of ['public', 'reader', 'mine']) tell(refused(key))
  assert.equal(
    raised.map(({ type, severity, key, context }) => [type, severity, key, context?.['credential']]),
    [
      ['server_auth_failed', 'error', 'id-crm/public', 'shared public'],
      ['server_auth_failed', 'error', 'id-crm/reader', 'shared reader'],
    ],
  )
  for (const key of ['reader', 'mine']) tell({ kind: 'accepted', server, key })
  await until('it is resolved', () => resolved[0])
  assert.equal(resolved, ['server_auth_failed id-crm/reader'])
})

test('what a credential may not do is told once an hour, under a key that no answer resolves', () => {
  const { raised, tell, clock } = bench()
  for (let n = 0; n < 5; n++) tell(refused('reader', false))
  assert.equal(
    raised.map(({ key }) => key),
    ['id-crm/reader/forbidden'],
  )
  clock.now += 3_600_000
  tell(refused('reader', false))
  assert.is(raised.length, 2)
})

test('a broken protocol is told once an hour for each reason, and no more than sixteen of them', () => {
  const { raised, tell, clock } = bench()
  for (let n = 0; n < 3; n++) for (const what of ['a batch', 'half an event stream']) tell(misbehaved(what))
  assert.equal(
    raised.map(({ type, severity, message }) => [type, severity, message]),
    [
      ['server_misbehaved', 'warning', 'Server "crm" broke the protocol: it sent a batch'],
      ['server_misbehaved', 'warning', 'Server "crm" broke the protocol: it sent half an event stream'],
    ],
  )
  for (let n = 0; n < 100; n++) tell(misbehaved(`word ${n}`))
  assert.is(raised.length, 16)
  clock.now += 3_600_000
  tell(misbehaved('a batch'))
  assert.is(raised.length, 17)
})

test('an alert holds no more of a server’s words than fits a page', () => {
  const { raised, tell } = bench()
  tell(misbehaved('x'.repeat(100_000)))
  assert.ok(JSON.stringify(raised).length < 1_500)
})

test('a credential is shared when it is the server’s own or an identity that is lent', () => {
  const house = emptyHouse()
  const identity = (id: string, shared: boolean) => [id, { id, slug: `slug-${id}`, shared } as Identity] as const
  const identities = new Map([identity('lent', true), identity('own', false)])
  house.put(PARTS.snapshots, { current: () => ({ identities }) } as never)
  const name = createSharedNames(house)
  assert.equal(['public', 'lent', 'own', 'user:mia'].map(name), ['of the server', 'slug-lent', null, null])
})

test.run()
