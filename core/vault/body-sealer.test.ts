import { randomBytes } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createBodySealer } from './body-sealer.js'
import type { BodyKeyRows, BodyPlace } from './body-sealer.js'
import { masterKey } from './keys.js'
import { createVault } from './vault.js'

const PLAIN = '{"message":{"name":"find","arguments":{"q":"kept-secret"}}}'
const NOON = Date.parse('2026-03-04T12:00:00Z')
const DAY = 86_400_000
const place = (facts: Partial<BodyPlace> = {}): BodyPlace => ({ at: NOON, id: 'message-1', leg: 'request', ...facts })

function bench({ rows = new Map<string, string>(), master = masterKey(randomBytes(32)), at = NOON } = {}) {
  const table: BodyKeyRows = {
    find: async (day) => rows.get(day) ?? null,
    keep: async (day, sealed) => rows.get(day) ?? (rows.set(day, sealed), sealed),
  }
  const clock = { at }
  return { rows, master, clock, sealer: createBodySealer(table, createVault([master]), () => clock.at) }
}
const sealedBy = async ({ sealer }: ReturnType<typeof bench>, where = place()): Promise<Buffer> => {
  await sealer.ready()
  return Buffer.from(sealer.seal(where, PLAIN) ?? '', 'base64')
}

test('what is sealed opens at its place and hides its text', async () => {
  const one = bench()
  const box = await sealedBy(one)
  assert.not.ok(box.includes('kept-secret'))
  assert.is(await one.sealer.open(place(), box), PLAIN)
})

test('it opens as no other leg, of no other message and under no other day', async () => {
  const one = bench()
  const box = await sealedBy(one)
  assert.is(await one.sealer.open(place({ leg: 'response' }), box), null)
  assert.is(await one.sealer.open(place({ leg: 'request_recorded' }), box), null)
  assert.is(await one.sealer.open(place({ id: 'message-2' }), box), null)
  assert.is(await one.sealer.open(place({ at: NOON + DAY }), box), null)
})

test('a changed or cut box does not open', async () => {
  const one = bench()
  const box = await sealedBy(one)
  for (let at = 0; at < box.length; at += 1) {
    const other = Buffer.from(box)
    other[at] = (other[at] ?? 0) ^ 1
    assert.is(await one.sealer.open(place(), other), null)
  }
  for (let length = 0; length < box.length; length += 1)
    assert.is(await one.sealer.open(place(), box.subarray(0, length)), null)
})

test('the same text is never sealed alike', async () => {
  const one = bench()
  assert.not.ok((await sealedBy(one)).equals(await sealedBy(one)))
})

test('replicas of one database share the key of a day', async () => {
  const one = bench()
  const box = await sealedBy(one)
  const other = bench({ rows: one.rows, master: one.master })
  await other.sealer.ready()
  assert.is(await other.sealer.open(place(), box), PLAIN)
})

test('the key of tomorrow is made before it is needed, and the one of the day before yesterday forgotten', async () => {
  const one = bench()
  await one.sealer.ready()
  assert.ok(one.sealer.seal(place({ at: NOON + DAY }), PLAIN))
  one.clock.at = NOON + 3 * DAY
  await one.sealer.ready()
  assert.is(one.sealer.seal(place(), PLAIN), null)
})

test('without the key of its day nothing is sealed', () => {
  assert.is(bench().sealer.seal(place(), PLAIN), null)
})

test('a day whose key was dropped opens for nobody', async () => {
  const one = bench()
  const box = await sealedBy(one)
  one.rows.clear()
  assert.is(await bench({ rows: one.rows, master: one.master }).sealer.open(place(), box), null)
})

test('keys lie sealed', async () => {
  const one = bench()
  await one.sealer.ready()
  for (const [day, sealed] of one.rows) {
    assert.match(sealed, /^v1\./)
    const key = createVault([one.master]).open(sealed, { table: 'body_keys', id: day, field: 'sealed' })
    assert.is(key.length, 32)
    assert.not.ok(sealed.includes(key.toString('base64url')))
  }
})

test.run()
