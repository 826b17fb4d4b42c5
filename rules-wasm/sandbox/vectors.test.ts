import { RuleVector } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeInput, inputOf, runVectors } from './index.js'
import { build, wat } from './rule.fixture.js'

const text = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>

test('shows a rule the parts that its manifest asks for', () => {
  const input = inputOf({ message: { name: 'x', arguments: { a: ['one', 2, { b: 'two' }] } } })
  assert.equal(Object.keys(text(encodeInput(input, ['message']))), ['version', 'leg', 'call', 'message'])
  const { texts, keys } = text(encodeInput(input, ['texts']))
  assert.equal(texts, ['one', 'two'])
  assert.equal(keys, ['arguments', 'a', 'b'])
})

test('leaves out of the texts what is none', () => {
  const content = [
    { type: 'text', text: 'one' },
    { type: 'image', mimeType: 'image/png', data: 'AAAA' },
  ]
  const { texts } = inputOf({ leg: 'response', message: { content, _meta: { secret: 'x' } } })
  assert.equal(texts, ['one'])
})

/** Answers with its own message's `answer`, so that each vector says what comes. */
const mirror = wat({
  imports: ['input_read'],
  body: `(local.set $n (call $input_read (i32.const 4096) (i32.const 0) (i32.const 60000)))
    (local.set $m (i32.const 4096))
    (block $found (loop $l
      (br_if $found (i32.eq (i32.load (local.get $m)) (i32.const 0x40404040)))
      (local.set $m (i32.add (local.get $m) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $m) (i32.const 64000))) unreachable))
    (local.set $m (i32.add (local.get $m) (i32.const 4)))
    (local.set $n (local.get $m))
    (block $end (loop $l
      (br_if $end (i32.eq (i32.load8_u (local.get $n)) (i32.const 64)))
      (if (i32.eq (i32.load8_u (local.get $n)) (i32.const 39)) (then (i32.store8 (local.get $n) (i32.const 34))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $l)))
    (call $output_write (local.get $m) (i32.sub (local.get $n) (local.get $m)))`,
})

const vector = (answer: string, expect: Readonly<Record<string, unknown>>, more: object = {}) =>
  RuleVector.parse({
    name: JSON.stringify(expect),
    input: { message: { answer: `@@@@${answer}@`, other: 'kept' } },
    expect,
    ...more,
  })

async function problems(vectors: readonly unknown[]): Promise<(string | null)[]> {
  const module = await build(mirror, { manifest: { vectors } })
  return (await runVectors(module)).map(({ problem }) => problem)
}

test('vectors that come as expected are fine', async () => {
  const found = "{'version':1,'verdict':'block','reason':'no','findings':[{'type':'A'},{'type':'A'},{'type':'B'}]}"
  const changed = "{'version':1,'verdict':'modify','texts':[{'text':1,'value':'new'}]}"
  const vectors = [
    vector(found, { verdict: 'block', reason: 'no', findings: { A: 2, B: 1 } }),
    vector(changed, { verdict: 'modify', message: { answer: `@@@@${changed}@`, other: 'new' } }),
    vector("{'version':1,'verdict':'pass'}", { verdict: 'pass', findings: {} }),
  ]
  assert.equal(await problems(vectors), [null, null, null])
})

test('what comes otherwise is told', async () => {
  const pass = "{'version':1,'verdict':'pass'}"
  const told = await problems([
    vector(pass, { verdict: 'block' }),
    vector("{'version':1,'verdict':'block','reason':'a'}", { verdict: 'block', reason: 'b' }),
    vector(pass, { verdict: 'pass', findings: { A: 1 } }),
    vector(pass, { verdict: 'pass', message: {} }),
    vector('nonsense', { verdict: 'pass' }),
    vector(pass, { verdict: 'pass' }, { config: { unknown: 'x' } }),
  ])
  const patterns = [
    /expected block, got pass/,
    /reason "b", got "a"/,
    /findings/,
    /message/,
    /no JSON/,
    /config\.unknown/,
  ]
  for (const [n, pattern] of patterns.entries()) assert.match(told[n] ?? '', pattern)
})

test.run()
