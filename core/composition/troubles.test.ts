import type { Alert } from '@gatehouse/sdk'
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

function bench({ calm = 0, store = async () => {}, forsaken = [] as Pick<Alert, 'type' | 'key'>[] } = {}) {
  const clock = { now: 1_000_000 }
  const raised: Alert[] = []
  const resolved: string[] = []
  const { tell, stop, recheck } = createTroubles({
    raise: async (alert) => (await store(), void raised.push(alert)),
    resolve: async (type, key) => void resolved.push(`${type} ${key}`),
    forsaken: async () => forsaken,
    sharedName: (key) => (key === 'mine' ? null : `shared ${key}`),
    now: () => clock.now,
    calm,
  })
  return { clock, raised, resolved, tell, stop, recheck }
}

const other = makeServer({ id: 'id-mail', slug: 'mail' })
/** Everything that was told until now is stored when this one is. */
async function settled({ tell, resolved }: ReturnType<typeof bench>): Promise<void> {
  const isMark = (name: string) => name.endsWith(' mark')
  tell({ kind: 'gone', serverId: 'mark' })
  await until('the mark is resolved', () => resolved.find(isMark))
  resolved.splice(resolved.findIndex(isMark), 1)
}

test('a server that goes down raises an alert that names it and the reason; its answer resolves that one', async () => {
  const trial = bench()
  trial.tell(DOWN)
  await settled(trial)
  assert.equal(trial.raised, [
    {
      type: 'server_unreachable',
      severity: 'error',
      key: 'id-crm',
      message: 'Server "crm" cannot be reached (ECONNREFUSED)',
      serverId: 'id-crm',
      context: { server: 'crm', error: 'GH_UPSTREAM_UNREACHABLE' },
    },
  ])
  trial.tell(UP)
  await settled(trial)
  assert.equal(trial.resolved, ['server_unreachable id-crm'])
})

test('a server that falls again at once had not recovered', async () => {
  const trial = bench({ calm: 10 })
  trial.tell(DOWN)
  trial.tell(UP)
  trial.tell(DOWN)
  trial.tell({ kind: 'up', server: other, wasDown: true })
  await settled(trial)
  assert.is(trial.raised.length, 2, 'the second collapses into the first, which stands')
  assert.equal(trial.resolved, ['server_unreachable id-mail'])
})

test('what is over is resolved after it was stored, however slow the database is', async () => {
  let release = () => {}
  const slow = new Promise<void>((resolve) => (release = resolve))
  const trial = bench({ store: () => slow })
  trial.tell(DOWN)
  trial.tell(UP)
  await settled(trial)
  assert.equal([trial.raised, trial.resolved], [[], []])
  release()
  await until('it is resolved', () => trial.resolved[0])
  assert.is(trial.raised.length, 1)
})

test('a server that was removed is no longer unreachable', async () => {
  const trial = bench()
  trial.tell({ kind: 'gone', serverId: 'id-crm' })
  await settled(trial)
  assert.equal(trial.resolved, ['server_unreachable id-crm'])
})

test('what only dead replicas still hold is resolved where this one found that it is over, and nowhere else', async () => {
  const forsaken = ['id-crm', 'id-mail'].map((key) => ({ type: 'server_unreachable', key }) as const)
  const trial = bench({ forsaken })
  trial.tell(UP)
  await settled(trial)
  trial.resolved.length = 0
  await trial.recheck()
  await settled(trial)
  assert.equal(trial.resolved, ['server_unreachable id-crm'])
  trial.tell(DOWN)
  await trial.recheck()
  await settled(trial)
  assert.equal(trial.resolved, ['server_unreachable id-crm'], 'it is down again')
})

test('nothing is resolved once the gateway has stopped', async () => {
  const [ended, running] = [bench({ calm: 10 }), bench({ calm: 10 })]
  ended.tell(UP)
  ended.stop()
  await settled(running)
  assert.equal(ended.resolved, [])
})

test('a refused credential is an alert for each that is shared, none for that of a person', async () => {
  const trial = bench()
  for (const key of ['public', 'reader', 'mine']) trial.tell(refused(key))
  await settled(trial)
  assert.equal(
    trial.raised.map(({ type, severity, key, context }) => [type, severity, key, context?.['credential']]),
    [
      ['server_auth_failed', 'error', 'id-crm/public', 'shared public'],
      ['server_auth_failed', 'error', 'id-crm/reader', 'shared reader'],
    ],
  )
  for (const key of ['reader', 'mine']) trial.tell({ kind: 'accepted', server, key })
  await settled(trial)
  assert.equal(trial.resolved, ['server_auth_failed id-crm/reader'])
})

test('what a credential may not do is told once an hour, under a key that no answer resolves', async () => {
  const trial = bench()
  for (let n = 0; n < 5; n++) trial.tell(refused('reader', false))
  await settled(trial)
  assert.equal(
    trial.raised.map(({ key }) => key),
    ['id-crm/reader/forbidden'],
  )
  trial.clock.now += 3_600_000
  trial.tell(refused('reader', false))
  await settled(trial)
  assert.is(trial.raised.length, 2)
})

test('a broken protocol is told once an hour for each reason, and no more than sixteen of them', async () => {
  const trial = bench()
  for (let n = 0; n < 3; n++) for (const what of ['a batch', 'half an event stream']) trial.tell(misbehaved(what))
  await settled(trial)
  assert.equal(
    trial.raised.map(({ type, severity, message }) => [type, severity, message]),
    [
      ['server_misbehaved', 'warning', 'Server "crm" broke the protocol: it sent a batch'],
      ['server_misbehaved', 'warning', 'Server "crm" broke the protocol: it sent half an event stream'],
    ],
  )
  for (let n = 0; n < 100; n++) trial.tell(misbehaved(`word ${n}`))
  await settled(trial)
  assert.is(trial.raised.length, 16)
  trial.clock.now += 3_600_000
  trial.tell(misbehaved('a batch'))
  await settled(trial)
  assert.is(trial.raised.length, 17)
})

test('an alert holds no more of a server’s words than fits a page', async () => {
  const trial = bench()
  trial.tell(misbehaved('x'.repeat(100_000)))
  await settled(trial)
  assert.ok(JSON.stringify(trial.raised).length < 1_500)
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
