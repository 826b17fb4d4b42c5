import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { candidates } from './names.js'

const LEGAL = /^[A-Za-z0-9_.-]{1,64}$/

test('on a collision gateway the bare name is wanted first, then the prefixed one', () => {
  assert.equal(candidates('collision', 'crm', 'find_contact').slice(0, 2), ['find_contact', 'crm__find_contact'])
})

test('with prefix always the bare name is never wanted', () => {
  const wanted = candidates('always', 'crm', 'find_contact')
  assert.is(wanted[0], 'crm__find_contact')
  assert.not(wanted.includes('find_contact'))
})

test('with prefix never nothing but the bare name is wanted', () => {
  assert.equal(candidates('never', 'crm', 'find_contact'), ['find_contact'])
})

test('a prefixed name of 64 characters stays whole', () => {
  const name = 'n'.repeat(64 - 'crm__'.length)
  assert.is(candidates('always', 'crm', name)[0], `crm__${name}`)
})

test('a longer one is cut to 64 and ends in a hash of the whole', () => {
  const long = 'n'.repeat(80)
  const [first] = candidates('always', 'crm', `${long}a`)
  const [other] = candidates('always', 'crm', `${long}b`)
  assert.is(first?.length, 64)
  assert.match(first ?? '', /^crm__n+_[0-9a-f]{8}$/)
  assert.is.not(first, other)
})

test('every candidate differs from the others, so that a taken one has a way out', () => {
  for (const name of ['short', 'n'.repeat(100), 'a b']) {
    const wanted = candidates('collision', 'crm', name)
    assert.is(new Set(wanted).size, wanted.length)
    assert.ok(wanted.length >= 3)
  }
})

test('a name outside the alphabet passes bare, and its prefixed forms are made safe', () => {
  const [bare, ...prefixed] = candidates('collision', 'crm', 'søk/all')
  assert.is(bare, 'søk/all')
  for (const name of prefixed) assert.match(name, LEGAL)
})

test('two names that look alike once made safe still part ways', () => {
  const one = candidates('always', 'crm', 'a b')
  const two = candidates('always', 'crm', 'a/b')
  assert.is(one[0], two[0])
  assert.is.not(one[1], two[1])
})

test.run()
