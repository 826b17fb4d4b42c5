import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { beginningOf, excerptOf } from './excerpts.js'

const params = (...texts: string[]) => ({ name: 'find', arguments: { texts } })

test('an excerpt shows what was changed and a little around it', () => {
  const [long, end] = ['x'.repeat(500), 'y'.repeat(500)]
  const excerpt = excerptOf('request', 'tool', params(`${long}123-45-6789${end}`), params(`${long}***********${end}`))
  assert.is(excerpt?.before, `…${'x'.repeat(60)}123-45-6789${'y'.repeat(60)}…`)
  assert.is(excerpt?.after, `…${'x'.repeat(60)}***********${'y'.repeat(60)}…`)
})

test('of a message with many changed texts the first three are shown', () => {
  const excerpt = excerptOf('request', 'tool', params('a', 'b', 'c', 'd', 'same'), params('1', '2', '3', '4', 'same'))
  assert.equal(excerpt, { before: 'a | b | c', after: '1 | 2 | 3' })
})

test('without a difference there is none', () => {
  assert.is(excerptOf('request', 'tool', params('a'), params('a')), null)
})

test('what was taken away leaves nothing behind', () => {
  assert.equal(excerptOf('request', 'tool', params('key'), params('')), { before: 'key', after: '' })
})

test('a long one is cut, and never through a character', () => {
  const excerpt = excerptOf('request', 'tool', params('😀'.repeat(400)), params(''))
  assert.ok((excerpt?.before.length ?? 0) <= 300)
  assert.not.match(excerpt?.before ?? '', /[\ud800-\udbff](?![\udc00-\udfff])/)
  assert.is(beginningOf({ a: 'b'.repeat(1_000) }).length, 300)
})

test.run()
