import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashesOf, pinHash } from '../domain/feature-hash.js'
import type { Sighting, Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { createStore } from './repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase } from './testing.js'

type Database = Awaited<ReturnType<typeof migratedDatabase>>
let database: Database
let store: Store
test.before(async () => {
  database = await migratedDatabase()
  store = createStore({ dataSource: database.dataSource, vault: fakeVault })
})
test.after(() => database.drop())

const ASSIGNMENT = '5b0f3c1e-8f1a-4a43-9c6e-0f5f7c1d2a01'
let gateways = 0
async function place() {
  const { id: gatewayId } = await store.gateways.insert(gatewayDraft(`g-${(gateways += 1)}`))
  const where = { gatewayId, assignmentId: ASSIGNMENT, kind: 'tool' } as const
  return { where, key: (name: string) => ({ ...where, name }) }
}
function sighting(event: Sighting['event'], more: JsonObject = {}, facts: Partial<Sighting> = {}): Sighting {
  const definition = { name: 'send', ...more }
  const hashes = hashesOf(definition, 'name')
  return { event, name: 'send', version: 1, sha256: pinHash('send', hashes), hashes, definition, note: null, ...facts }
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (thrown: unknown) => (thrown instanceof GatehouseError ? thrown.code : thrown),
  )

test('what is seen first is trusted once, whoever sees it and however many do so at once', async () => {
  const { where, key } = await place()
  const other = createStore({ dataSource: await database.open(), vault: fakeVault })
  const [one, two] = [sighting('trusted', { description: 'one' }), sighting('trusted', { description: 'two' })]
  const told = await Promise.all([
    ...[store, other].map((each) => each.features.record(where, [one])),
    ...[store, other].map((each) => each.features.record(where, [two])),
  ])
  assert.is(told.flat().length, 1)
  const found = await store.features.find(key('send'))
  assert.is(found?.sha256, told.flat()[0]?.sha256)
  assert.equal(found?.definition, told.flat()[0]?.definition)
  assert.equal((await store.features.of(where.gatewayId)).baselines, [{ assignmentId: ASSIGNMENT, kind: 'tool' }])
})

test('one change is told once and waits, for one decision of one definition that was seen', async () => {
  const { where, key } = await place()
  await store.features.record(where, [sighting('trusted')])
  const changed = sighting('changed', { description: 'other' })
  assert.is((await store.features.record(where, [changed])).length, 1)
  assert.is((await store.features.record(where, [changed])).length, 0)
  assert.is((await store.features.find(key('send')))?.waiting?.sha256, changed.sha256)
  const decision = { sha256: changed.sha256, verdict: 'approved', by: 'ana@example.com', note: 'read' } as const
  assert.is(
    await codeOf(store.features.decide(key('send'), { ...decision, sha256: 'f'.repeat(64) })),
    'GH_API_NOT_FOUND',
  )
  assert.is(await codeOf(store.features.decide(key('never'), decision)), 'GH_API_NOT_FOUND')
  assert.is((await store.features.versions()).get(where.gatewayId), undefined, 'a refused decision is none')
  const epoch = await store.epoch()
  const decided = await store.features.decide(key('send'), decision)
  assert.equal([decided.version, decided.sha256, decided.waiting], [2, changed.sha256, null])
  assert.equal(decided.hashes, changed.hashes)
  assert.is((await store.features.versions()).get(where.gatewayId), 1)
  assert.ok((await store.epoch()) > epoch)
  assert.equal(
    (await store.features.history(key('send'))).map(({ event, by }) => [event, by]),
    [
      ['approved', 'ana@example.com'],
      ['changed', null],
      ['trusted', null],
    ],
  )
})

test('a rejected definition is refused until it is approved', async () => {
  const { where, key } = await place()
  await store.features.record(where, [sighting('trusted')])
  const { sha256 } = sighting('trusted')
  const decision = { sha256, by: null, note: null }
  assert.equal((await store.features.decide(key('send'), { ...decision, verdict: 'rejected' })).refused, [sha256])
  assert.equal((await store.features.decide(key('send'), { ...decision, verdict: 'approved' })).refused, [])
})

test('what is suspected is refused at once, and pins nothing', async () => {
  const { where, key } = await place()
  const found = sighting('suspected', { description: 'x' }, { note: 'hidden text' })
  assert.is((await store.features.suspect(where, [found], true)).length, 1)
  assert.equal((await store.features.find(key('send')))?.refused, [found.sha256])
  const { version, baselines, approvals } = await store.features.of(where.gatewayId)
  assert.equal([version, baselines, approvals[0]?.hashes], [1, [], null])
})

test('a renamed feature is told as that alone', async () => {
  const { where, key } = await place()
  await store.features.record(where, [sighting('renamed', {}, { note: 'old' })])
  assert.is((await store.features.record(where, [sighting('appeared')])).length, 0)
  assert.equal((await store.features.find(key('send')))?.waiting?.note, 'old')
})

test('a server that changes all the time fills the history so far and no further', async () => {
  const { where, key } = await place()
  await store.features.record(where, [sighting('trusted')])
  for (let turn = 0; turn < 60; turn++)
    await store.features.record(where, [sighting('changed', { description: `${turn}` })])
  assert.is((await store.features.history(key('send'))).length, 50)
})

test('definitions keep their order and odd characters; one that is too long is known by its hashes', async () => {
  const { where, key } = await place()
  const odd = { zeta: 'a\u0000b', alpha: '\ud800', title: 'T' }
  await store.features.record(where, [sighting('trusted', odd)])
  assert.equal(Object.keys((await store.features.find(key('send')))?.definition ?? {}), [
    'name',
    'zeta',
    'alpha',
    'title',
  ])
  await store.features.record(where, [sighting('changed', { description: 'x'.repeat(300_000) })])
  const waiting = (await store.features.find(key('send')))?.waiting
  assert.is(waiting?.definition, null)
  assert.is(typeof waiting?.hashes.description, 'string')
})

test('what is trusted outlives the assignment and goes with the gateway', async () => {
  const { where, key } = await place()
  await store.features.record(where, [sighting('trusted')])
  assert.is((await store.features.ofAssignment(where.gatewayId, ASSIGNMENT)).length, 1)
  await store.gateways.remove(where.gatewayId)
  assert.is(await store.features.find(key('send')), null)
  assert.equal(await store.features.history(key('send')), [])
})

test.run()
