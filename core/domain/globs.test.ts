import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compileGlob, compileGlobs } from './globs.js'

test('a star stands for any run of characters, also an empty one', () => {
  const fits = compileGlob('crm-*')
  assert.ok(fits('crm-'))
  assert.ok(fits('crm-mine'))
  assert.not.ok(fits('my-crm-x'))
  assert.ok(compileGlob('*')(''))
})

test('everything but the star stands for itself', () => {
  assert.ok(compileGlob('a.b?[c]')('a.b?[c]'))
  assert.not.ok(compileGlob('a.b')('axb'))
  assert.not.ok(compileGlob('Find')('find'))
})

test('the parts of a glob must not overlap in the text', () => {
  assert.not.ok(compileGlob('aba*aba')('aba'))
  assert.not.ok(compileGlob('a*bc*c')('abc'))
  assert.ok(compileGlob('a*bc*c')('abcc'))
})

test('several stars are matched in order', () => {
  const fits = compileGlob('*_contact_*')
  assert.ok(fits('find_contact_by'))
  assert.not.ok(fits('contact_find_'))
  assert.ok(compileGlob('**')('anything'))
})

test('a list fits when any of it fits, an empty list never', () => {
  assert.ok(compileGlobs(['x', 'y*'])('yes'))
  assert.not.ok(compileGlobs([])('yes'))
})

test('a glob of many stars does not go back over a long text', () => {
  const fits = compileGlob('*a'.repeat(200) + '*b')
  const started = performance.now()
  assert.not.ok(fits('a'.repeat(100_000)))
  assert.ok(performance.now() - started < 1_000)
})

test.run()
