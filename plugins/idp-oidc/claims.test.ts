import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isEnough, readClaims } from './claims.js'
import { settle } from './config.js'
import { Refusal } from './provider.js'

const generic = settle({ issuer: 'https://id.example.com', clientId: 'c' })
const google = settle({ preset: 'google', clientId: 'c' })
const entra = settle({
  preset: 'entra',
  issuer: 'https://login.microsoftonline.com/00000000-0000-4000-8000-000000000001/v2.0',
  clientId: 'c',
})

test('an address is verified when the provider says so, in whichever place, and not otherwise', () => {
  const email = 'a@example.com'
  for (const [said, expected] of [
    [true, true],
    ['true', true],
    [false, false],
    ['false', false],
    ['1', false],
    [undefined, false],
    [null, false],
  ] as const) {
    assert.is(readClaims({ email, email_verified: said }, {}, generic).emailVerified, expected, String(said))
    assert.is(readClaims({}, { email, email_verified: said }, generic).emailVerified, expected, String(said))
  }
})

test('an address and its verification come from one place', () => {
  const said = readClaims({ email: 'a@example.com' }, { email: 'b@example.com', email_verified: true }, generic)
  assert.equal([said.email, said.emailVerified], ['b@example.com', true])
  const other = readClaims({ email: 'a@example.com', email_verified: false }, { email_verified: true }, generic)
  assert.equal([other.email, other.emailVerified], ['a@example.com', false])
  const split = readClaims({ email: 'a@example.com' }, { email_verified: true }, generic)
  assert.equal([split.email, split.emailVerified], ['a@example.com', false])
})

test('an account of Google without an organisation is refused, whatever it or the gateway says of its address', () => {
  const mine = { email: 'a@example.com', email_verified: true }
  const isRefusal = (thrown: Error) => thrown instanceof Refusal
  assert.throws(() => readClaims(mine, {}, google), isRefusal)
  assert.ok(readClaims({ ...mine, hd: 'example.com' }, {}, google).emailVerified)
  const one = settle({ preset: 'google', clientId: 'c', hostedDomain: 'Example.com' })
  assert.ok(readClaims({ ...mine, hd: 'example.com' }, {}, one).emailVerified)
  assert.throws(() => readClaims({ ...mine, hd: 'other.example' }, {}, one), isRefusal)
})

test('Entra verifies by its domain claim alone; a sign-in name stands in for an address and is never verified', () => {
  const mine = { email: 'a@example.com' }
  assert.not(readClaims(mine, {}, entra).emailVerified)
  assert.ok(readClaims({ ...mine, xms_edov: true }, {}, entra).emailVerified)
  assert.ok(readClaims({ ...mine, xms_edov: '1' }, {}, entra).emailVerified)
  const upn = readClaims({ preferred_username: 'a@example.com', xms_edov: true }, {}, entra)
  assert.equal([upn.email, upn.emailVerified], ['a@example.com', false])
  assert.is(readClaims({ preferred_username: 'a@example.com' }, {}, generic).email, '')
})

test('groups: a list, one word, none, and not known are different things', () => {
  const groups = (idToken: object, userinfo = {}) => readClaims({ ...idToken }, userinfo, generic).groups
  assert.equal(groups({ groups: ['a', 7, 'b'] }), ['a', 'b'])
  assert.equal(groups({}, { groups: ['a'] }), ['a'])
  assert.equal(groups({ groups: 'a' }), ['a'])
  assert.equal(groups({}), [])
  assert.is(groups({ hasgroups: true }), null)
  assert.is(groups({ _claim_names: { groups: 'src1' } }), null)
  assert.is(readClaims({ groups: ['a'], hd: 'example.com' }, {}, google).groups, null)
  assert.is(groups({ groups: '[SIZE_LIMIT_EXCEEDED]' }), null)
  assert.equal(groups({ groups: ['[SIZE_LIMIT_EXCEEDED]'] }, { groups: ['a'] }), ['a'])
})

test('userinfo is asked only when something is missing', () => {
  const full = { email: 'a', email_verified: true, name: 'A', groups: [] }
  assert.ok(isEnough(full, generic))
  assert.not(isEnough({ ...full, groups: ['[SIZE_LIMIT_EXCEEDED]'] }, generic))
  for (const key of Object.keys(full)) assert.not(isEnough({ ...full, [key]: undefined }, generic), key)
})

test.run()
