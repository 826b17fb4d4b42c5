import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rewriterOf } from './rewriter.js'

test('texts are replaced by their number, in every place that repeats them as structured content', () => {
  const result = { structuredContent: { mail: 'a@b.c' }, content: [{ type: 'text', text: '{"mail":"a@b.c"}' }] }
  const changed = rewriterOf(result, 'response', 'tool')(new Map([[0, '<MAIL>']]))
  assert.equal(changed, {
    structuredContent: { mail: '<MAIL>' },
    content: [{ type: 'text', text: '{"mail":"<MAIL>"}' }],
  })
})

test('a call changes in its arguments, and is left alone where nothing else can be changed', () => {
  const params = { name: 'echo', arguments: { text: 'one' }, _meta: { note: 'two' } }
  const change = rewriterOf(params, 'request', 'tool')
  assert.equal(change(new Map([[0, 'three']])), { ...params, arguments: { text: 'three' } })
  assert.throws(() => change(new Map([[1, 'three']])), /outside of the arguments/)
})

test.run()
