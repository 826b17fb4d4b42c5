import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { KeyRow, KeyRows, KeyState, KeyUse } from '../../db/repositories/oauth-keys.js'
import { loadKeys, turnKeys } from './keys.js'

const DAY = 24 * 3_600_000

/** Rows whose age is told by a clock of the test. */
function keyring() {
  let now = 0
  let count = 0
  let rows: (Omit<KeyRow, 'age'> & { readonly at: number })[] = []
  const order: readonly KeyState[] = ['current', 'next', 'old']
  const own: KeyRows = {
    all: async () =>
      rows
        .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
        .map(({ at, ...row }) => ({ ...row, age: now - at })),
    add: async (use: KeyUse, state: KeyState, key: string) =>
      void rows.push({ id: String((count += 1)), use, state, key, at: now }),
    promote: async (use) => {
      rows = rows.map((row) =>
        row.use !== use || row.state === 'old'
          ? row
          : { ...row, state: row.state === 'next' ? 'current' : 'old', at: now },
      )
    },
    remove: async (id) => void (rows = rows.filter((row) => row.id !== id)),
  }
  return {
    options: { rows: own, lock: <T>(work: () => Promise<T>) => work() },
    later: (ms: number) => void (now += ms),
    states: () => rows.filter(({ use }) => use === 'cookie').map(({ state }) => state),
  }
}

test('keys are made when there are none, and only then', async () => {
  const { options, states } = keyring()
  const first = await loadKeys(options)
  const second = await loadKeys(options)
  assert.equal(second, first)
  assert.equal(states(), ['current'])
  assert.is(first.cookies[0]?.length, 43)
  assert.is(first.signing[0]?.alg, 'ES256')
})

test('a key is announced, used and accepted before it goes', async () => {
  const { options, later, states } = keyring()
  const first = await loadKeys(options)
  await turnKeys(options)
  assert.equal(states(), ['current'], 'young')
  later(91 * DAY)
  await turnKeys(options)
  assert.equal(states(), ['current', 'next'])
  const announced = await loadKeys(options)
  assert.is(announced.cookies[0], first.cookies[0], 'the old one still signs')
  assert.is(announced.cookies.length, 2, 'and the new one is known already')
  await turnKeys(options)
  assert.equal(states(), ['current', 'next'], 'not before every replica has heard of it')
  later(1.1 * DAY)
  await turnKeys(options)
  assert.equal(states(), ['old', 'current'])
  const used = await loadKeys(options)
  assert.is(used.cookies[0], announced.cookies[1])
  assert.ok(used.cookies.includes(first.cookies[0] ?? ''), 'what the old one signed is still good')
  assert.is.not(used.version, announced.version)
  later(2.1 * DAY)
  await turnKeys(options)
  assert.equal(states(), ['current'])
})

test.run()
