import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Identity, Server } from '../domain/nouns.js'
import type { Snapshot } from '../domain/snapshot.js'
import { plan, server } from '../upstream/catalog-testing.js'
import { followChanges } from './follow.js'
import { PARTS } from './house.js'
import { emptyHouse } from './testing.js'

const identity = (changes: Partial<Identity> = {}): Identity =>
  ({ id: 'i', serverId: 'server-crm', shared: false, ownerId: 'mia', updatedAt: '1', ...changes }) as Identity
const snapshot = (servers: readonly Server[], identities: readonly Identity[] = []): Snapshot =>
  ({
    epoch: 1,
    gateways: new Map([
      ['g', plan(['crm'])],
      ['h', plan(['other'], { id: 'gateway-2' })],
    ]),
    servers: new Map(servers.map((one) => [one.id, one])),
    identities: new Map(identities.map((one) => [one.id, one])),
  }) as unknown as Snapshot

/** What was done to whom, and how a swap is told. */
function bench() {
  const done: string[] = []
  const ended: ((id: string) => void)[] = []
  const told: { swap: (next: Snapshot, previous: Snapshot | null) => void } = { swap: () => undefined }
  const house = emptyHouse()
  const note =
    (what: string) =>
    (id: string, key = '') =>
      void done.push(`${what} ${id} ${key}`.trim())
  house.put(PARTS.catalog, { drop: (id: string, _: unknown, key?: string) => note('drop')(id, key) } as never)
  house.put(PARTS.upstreams, {
    replace: note('replace'),
    forget: async (id: string) => note('forget')(id),
    endSession: note('end lanes of'),
  } as never)
  house.put(PARTS.audience, { drop: note('unhear'), swapped: () => void done.push('swapped') } as never)
  house.put(PARTS.listeners, { ended: note('leave') } as never)
  house.put(PARTS.lines, { close: note('close') } as never)
  house.put(PARTS.sessions, {
    onEnd: (listener: never) => void ended.push(listener),
    onChange: () => undefined,
  } as never)
  house.put(PARTS.errands, { recheck: () => undefined } as never)
  house.put(PARTS.parked, { recheck: async () => undefined } as never)
  house.put(PARTS.snapshots, { onSwap: (listener: never) => void (told.swap = listener) } as never)
  const own: { changed: (before: Identity, now: Identity | null) => void; given: () => void } = {
    changed: () => undefined,
    given: () => undefined,
  }
  house.put(PARTS.own, {
    onChanged: (listener: never) => void (own.changed = listener),
    onGiven: (listener: never) => void (own.given = listener),
  } as never)
  followChanges(house)
  return { done, told, own, end: (id: string) => ended.forEach((listener) => listener(id)) }
}

test('the first configuration and one that changed nothing disturb nobody', () => {
  const { done, told } = bench()
  told.swap(snapshot([server('crm')]), null)
  told.swap(snapshot([server('crm')], [identity()]), snapshot([server('crm')], [identity()]))
  assert.equal(done, ['swapped', 'swapped'], 'save those who look whether they see something else')
})

test('with a session ends what is held for it', () => {
  const { done, end } = bench()
  end('s')
  assert.equal(done, ['close s', 'end lanes of s', 'leave s'])
})

test('a changed server is called anew, a disabled or removed one is let go of', () => {
  const { done, told } = bench()
  const before = snapshot([server('crm'), server('off'), server('gone'), server('same')])
  const after = [server('crm', { updatedAt: '2' }), server('off', { updatedAt: '2', enabled: false }), server('same')]
  told.swap(snapshot(after), before)
  assert.equal(done, [
    ...['replace server-crm', 'unhear server-crm', 'drop server-crm'],
    ...['forget server-off', 'unhear server-off', 'drop server-off'],
    ...['forget server-gone', 'unhear server-gone', 'drop server-gone'],
    'swapped',
  ])
})

for (const [what, after] of [
  ['changed', [identity({ updatedAt: '2' })]],
  ['removed', []],
] as const)
  test(`a server is called anew with an identity that was ${what}`, () => {
    const { done, told } = bench()
    told.swap(snapshot([server('crm')], after), snapshot([server('crm')], [identity()]))
    assert.equal(done, ['replace server-crm i', 'unhear server-crm i', 'drop server-crm i', 'swapped'])
  })

test('a personal identity that is another one is called anew, and those who listen look again', () => {
  const { done, own } = bench()
  own.changed(identity({ shared: false }), null)
  own.given()
  assert.equal(done, ['replace server-crm i', 'unhear server-crm i', 'drop server-crm i', 'swapped', 'swapped'])
})

test.run()
