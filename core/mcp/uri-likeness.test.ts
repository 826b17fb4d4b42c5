import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { likenessesOf, likenessOf } from './uri-likeness.js'

test('spellings of one URI are alike', () => {
  for (const [one, other] of [
    ['crm://contact/5', 'CRM://contact/%35'],
    ['crm://contact/5', 'crm://contact/%2535'],
    ['crm://contact/5', 'crm://contact/5#part'],
    ['crm://contact/5', 'crm://contact//./x/../5/'],
    ['crm://contact/5', 'crm:\\\\contact\\5?'],
    ['crm://naïve', 'crm://na%C3%AFve'],
  ] as const)
    assert.is(likenessOf(one), likenessOf(other), other)
})

test('other URIs are not', () => {
  assert.is.not(likenessOf('crm://contact/5'), likenessOf('crm://contact/6'))
  assert.is.not(likenessOf('crm://contact/5'), likenessOf('crm://contact/5?of=6'))
  assert.ok(likenessesOf('crm://contact/5?of=6').includes(likenessOf('crm://contact/5')))
})

test.run()
