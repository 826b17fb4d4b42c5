import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compileTemplate, fitsTemplate } from './uri-template.js'

const fits = (template: string, uri: string) => {
  const compiled = compileTemplate(template)
  return compiled !== null && fitsTemplate(compiled, uri)
}

test('a variable stands for one path segment', () => {
  assert.ok(fits('test://template/{id}/data', 'test://template/123/data'))
  assert.not.ok(fits('test://template/{id}/data', 'test://template/1/2/data'))
  assert.not.ok(fits('test://template/{id}/data', 'test://template/123/datum'))
  assert.not.ok(fits('test://template/{id}', 'test://template/1?x=1'))
})

test('a reserved variable stands for the rest of a path', () => {
  assert.ok(fits('file:///{+path}', 'file:///a/b/c.txt'))
  assert.ok(fits('file:///{+path}/end', 'file:///a/b/end'))
  assert.not.ok(fits('file:///{+path}', 'http://a/b'))
})

test('the other operators are read leniently', () => {
  assert.ok(fits('x://list{?page,size}', 'x://list?page=1&size=2'))
  assert.ok(fits('x://list{?page,size}', 'x://list'))
  assert.ok(fits('x://a{/b,c}', 'x://a/1/2'))
})

test('variables side by side share a segment', () => {
  assert.ok(fits('x://{a}{b}-{c}', 'x://one-two-three'))
  assert.not.ok(fits('x://{a}{b}', 'x://one/two'))
  assert.ok(fits('x://{+a}{b}', 'x://one/two'))
  assert.ok(fits('x://{+a}{b}z', 'x://one/twoz'))
  assert.not.ok(fits('x://{+a}/{b}!', 'x://one/two/three'))
})

test('a template fits itself, so that a reference to it is understood', () => {
  assert.ok(fits('test://template/{id}/data', 'test://template/{id}/data'))
})

test('an unclosed or endless template fits nothing', () => {
  assert.is(compileTemplate('x://{open'), null)
  assert.is(compileTemplate('{a}b'.repeat(50)), null)
})

test('a hostile template costs no more than its length times the URI’s', () => {
  const started = process.hrtime.bigint()
  assert.not.ok(fits(`x:${'{+a}a'.repeat(10)}!`, `x:${'a'.repeat(2_000)}`))
  assert.not.ok(fits(`x:${'{v}a'.repeat(10)}!`, `x:${'a'.repeat(2_000)}`))
  assert.ok(Number(process.hrtime.bigint() - started) / 1e6 < 1_000)
})

test('a URI longer than anyone writes fits nothing', () => {
  assert.not.ok(fits('x://{+a}', `x://${'a'.repeat(5_000)}`))
})

test.run()
