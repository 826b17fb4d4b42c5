import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { parseJson, writeJson } from '../mcp/json.js'
import { ownerOf } from '../mcp/owned-id.js'
import { masterKey } from '../vault/keys.js'
import { createTokenSealer } from '../vault/seal-token.js'
import { createRequestStates, REQUEST_STATE, type RequestState, type StateSubject } from './request-state.js'
import { chance, CORRELATION, SUBJECT } from './testing.js'

const keys = [masterKey(Buffer.alloc(32, 7))]
let time = Date.UTC(2026, 10, 1)
const now = () => time
const states = createRequestStates(createTokenSealer(keys, REQUEST_STATE, now), now)

const correlationId = CORRELATION
const EACH: readonly RequestState[] = [
  { kind: 'forward', round: 3, correlationId, state: 'opaque ☃ \u0000 "state"' },
  { kind: 'parked', round: 1, correlationId, callId: 'call', owner: 'r1r1' },
  { kind: 'rerun', round: 20, correlationId, elicitationIds: ['e1', ''] },
]

function refusal(act: () => unknown): GatehouseError {
  try {
    act()
  } catch (thrown) {
    if (thrown instanceof GatehouseError) return thrown
    throw thrown
  }
  throw new Error('nothing was refused')
}
const refused = (sealed: Json | undefined, subject = SUBJECT) => {
  const { code, message, data } = refusal(() => states.open(sealed, subject))
  assert.equal([code, message, data], ['GH_FORWARD_STATE', 'Invalid or expired requestState', undefined])
}

test('a state of every kind opens as it was sealed, at another replica too', () => {
  const elsewhere = createRequestStates(createTokenSealer(keys, REQUEST_STATE, now), now)
  for (const state of EACH) {
    assert.equal(states.open(states.seal(state, SUBJECT), SUBJECT), state)
    assert.equal(elsewhere.open(states.seal(state, SUBJECT), SUBJECT), state)
  }
})

test('a state of another user, host, gateway, server, assignment, method, feature or argument is one and the same error', () => {
  const others: readonly Partial<StateSubject>[] = [
    { user: 'user-2' },
    { host: 'host-2' },
    { gateway: 'gateway-2' },
    { server: 'server-2' },
    { assignment: 'assignment-2' },
    { method: 'prompts/get' },
    { feature: 'act2' },
    { arguments: { a: 2 } },
    { arguments: { a: '1' } },
    { arguments: { a: 1, b: null } },
    { arguments: undefined },
  ]
  for (const state of EACH) for (const other of others) refused(states.seal(state, SUBJECT), { ...SUBJECT, ...other })
})

test('where a parked call sleeps stands before the state, in the open, and cannot be changed; others name nobody', () => {
  for (const state of EACH) {
    const sealed = states.seal(state, SUBJECT)
    const owner = state.kind === 'parked' ? state.owner : null
    assert.is(ownerOf(sealed), owner)
    refused(`r2r2.${sealed}`)
    if (owner !== null) for (const other of ['', 'r2r2.', 'r1r1.r1r1.']) refused(sealed.replace('r1r1.', other))
  }
})

test('parts of a subject cannot be moved into one another', () => {
  const sealed = states.seal(EACH[0] as RequestState, { ...SUBJECT, user: 'ab', host: 'c' })
  refused(sealed, { ...SUBJECT, user: 'a', host: 'bc' })
  refused(sealed, { ...SUBJECT, user: 'c', host: 'ab' })
})

test('the order of keys does not matter, their absence does not differ from none', () => {
  const sealed = states.seal(EACH[0] as RequestState, {
    ...SUBJECT,
    arguments: { a: { x: 1, y: [{ p: 1, q: 2 }] }, b: 2 },
  })
  states.open(sealed, { ...SUBJECT, arguments: { b: 2, a: { y: [{ q: 2, p: 1 }], x: 1 } } })
  refused(sealed, { ...SUBJECT, arguments: { a: { x: 1, y: [{ p: 1 }, { q: 2 }] }, b: 2 } })
  const bare = states.seal(EACH[0] as RequestState, { ...SUBJECT, arguments: undefined })
  states.open(bare, { ...SUBJECT, arguments: {} })
})

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url')

/** Seeded: values that differ in anything but the order of keys bind differently. */
test('arguments bind by value: equal ones open, changed ones do not', () => {
  const next = chance(20261101)
  const value = (depth: number): Json => {
    const kinds = [
      () => next(3),
      () => `${next(3)}`,
      () => null,
      () => next(2) === 0,
      () => Array.from({ length: next(3) }, () => value(depth - 1)),
      () => object(depth - 1),
    ]
    return (kinds[next(depth > 0 ? kinds.length : 4)] as () => Json)()
  }
  const object = (depth: number): JsonObject =>
    Object.fromEntries(Array.from({ length: next(4) }, (_, at) => [`k${at}`, value(depth)]))
  const shuffled = (given: Json): Json => {
    if (Array.isArray(given)) return (given as Json[]).map(shuffled)
    if (typeof given !== 'object' || given === null) return given
    return Object.fromEntries(
      Object.entries(given)
        .map(([key, inner]): [string, Json] => [key, shuffled(inner as Json)])
        .toReversed(),
    )
  }
  const all = Array.from({ length: 60 }, () => object(3))
  const text = (given: Json) => JSON.stringify(shuffled(shuffled(given)))
  for (const one of all) {
    const sealed = states.seal(EACH[1] as RequestState, { ...SUBJECT, arguments: one })
    states.open(sealed, { ...SUBJECT, arguments: shuffled(one) as JsonObject })
    for (const other of all.slice(0, 20))
      if (text(other) !== text(one)) refused(sealed, { ...SUBJECT, arguments: other })
  }
})

test('a key that looks like a prototype binds like any other', () => {
  const polluted = JSON.parse('{"__proto__":{"a":1}}') as JsonObject
  const sealed = states.seal(EACH[0] as RequestState, { ...SUBJECT, arguments: polluted })
  refused(sealed, { ...SUBJECT, arguments: {} })
  refused(sealed, { ...SUBJECT, arguments: JSON.parse('{"__proto__":{"a":2}}') as JsonObject })
  states.open(sealed, { ...SUBJECT, arguments: polluted })
})

test('a number that no double holds binds as the digits that came, at every replica', () => {
  const long = (text: string) => parseJson(`{"n":${text}}`) as JsonObject
  const sealed = states.seal(EACH[0] as RequestState, { ...SUBJECT, arguments: long('12345678901234567890') })
  refused(sealed, { ...SUBJECT, arguments: long('12345678901234567891') })
  refused(sealed, { ...SUBJECT, arguments: { n: '12345678901234567890' } })
  const marked = JSON.stringify(long('12345678901234567890'))
  assert.not.match(marked, /"n":1/, 'inside of this process it is marked')
  assert.match(writeJson(long('12345678901234567890')), /:12345678901234567890/)
  // What is bound must not hold the mark, which no other process knows.
  const bound: string[][] = []
  const spy = createRequestStates({ seal: (_, parts) => (bound.push([...parts]), ''), open: () => null }, now)
  spy.seal(EACH[0] as RequestState, { ...SUBJECT, arguments: long('12345678901234567890') })
  spy.seal(EACH[0] as RequestState, { ...SUBJECT, arguments: long('12345678901234567890') })
  assert.equal(bound[0], bound[1])
  assert.is(bound[0]?.at(-1), digestOf('{"n":12345678901234567890}'))
})

test('any byte that is changed, added or dropped is refused', () => {
  for (const state of EACH) {
    const sealed = states.seal(state, SUBJECT)
    for (let at = 0; at < sealed.length; at += 1) {
      refused(`${sealed.slice(0, at)}${sealed[at] === 'x' ? 'y' : 'x'}${sealed.slice(at + 1)}`)
      refused(sealed.slice(0, at) + sealed.slice(at + 1))
    }
    for (const text of [`${sealed}A`, `${sealed}=`, ` ${sealed}`, `${sealed}-TAMPERED`]) refused(text)
  }
})

test('what was never sealed is refused, whatever it is', () => {
  for (const value of [undefined, null, '', 0, 1, true, {}, [], 'gh1.AAAA.AAAA', { state: 'x' }] as const)
    refused(value)
})

test('a state that another use of the same key sealed is refused', () => {
  const cursor = createTokenSealer(keys, 'cursor 1', now)
  const bound = ['user-1', 'host-1', 'gateway-1']
  refused(cursor.seal('{"t":"f"}', bound))
})

test('a state of a shape that this version does not know is refused like a broken one', () => {
  let plain = '{"t":"z","e":9999999999999,"n":1}'
  const blind = createRequestStates({ seal: () => '', open: () => plain }, now)
  for (const text of [plain, '{}', 'null', '[]', '{"t":"f","e":"soon","n":1,"u":"x"}', 'not json']) {
    plain = text
    const { code } = refusal(() => blind.open('gh1.x.y', SUBJECT))
    assert.is(code, 'GH_FORWARD_STATE', text)
  }
})

test('a state lives ten minutes', () => {
  const sealed = states.seal(EACH[0] as RequestState, SUBJECT)
  time += 600_000 - 1
  states.open(sealed, SUBJECT)
  time += 1
  refused(sealed)
})

test('a forward state may be shown again, for its server may be asked again', () => {
  const sealed = states.seal(EACH[0] as RequestState, SUBJECT)
  assert.equal(states.open(sealed, SUBJECT), states.open(sealed, SUBJECT))
})

test('after twenty rounds there is no further one, of any kind', () => {
  for (const state of EACH) {
    states.seal({ ...state, round: 20 }, SUBJECT)
    assert.is(refusal(() => states.seal({ ...state, round: 21 }, SUBJECT)).code, 'GH_FORWARD_ROUNDS')
  }
})

test('a server may make its clients carry 64 KiB and not more, whichever way it tries', () => {
  const forward = (state: string) => states.seal({ kind: 'forward', round: 1, correlationId, state }, SUBJECT)
  assert.ok(forward('x'.repeat(64 * 1024)).length < 90_000)
  const rerun = (elicitationIds: readonly string[]) =>
    states.seal({ kind: 'rerun', round: 1, correlationId, elicitationIds }, SUBJECT)
  for (const act of [
    () => forward('x'.repeat(64 * 1024 + 1)),
    () => forward('☃'.repeat(64 * 1024)),
    () => rerun(['x'.repeat(64 * 1024 + 1)]),
    () => rerun(Array.from({ length: 64 * 1024 }, () => 'id')),
  ]) {
    const { code, entry } = refusal(act)
    assert.equal([code, entry.reason], ['GH_FORWARD_STATE_SIZE', 'state_too_large'])
  }
})

test('a parked state is short', () => {
  const parked = { kind: 'parked', round: 1, correlationId, callId: 'A'.repeat(16), owner: 'r1r1' } as const
  assert.ok(states.seal(parked, SUBJECT).length < 256)
})

test.run()
