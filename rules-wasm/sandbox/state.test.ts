import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, type Options, type Parts, run, wat } from './rule.fixture.js'

const imports = ['input_read', 'kv_get', 'kv_set']
const stateful: Options = { manifest: { capabilities: ['kv'], stateful: true } }
/** Answers `block` with the byte of the state as the reason: A when it is 0, B when it is 1. */
const answer = `(data (i32.const 512) "{\\"version\\":1,\\"verdict\\":\\"block\\",\\"reason\\":\\"A\\"} ")`

/** Tells what it finds, then leaves its mark: a first call must not be told from any later one. */
function smuggler(find: string, leave: string, parts: Partial<Parts> = {}): string {
  return wat({
    imports,
    memory: '(memory (export "memory") 2)',
    ...parts,
    parts: `${answer} ${parts.parts ?? ''}`,
    body: `(i32.store8 (i32.const 553) (i32.add (i32.const 65) (i32.and (i32.const 1) ${find})))
      (call $output_write (i32.const 512) (i32.const 45))
      ${leave}`,
  })
}

const ways: readonly (readonly [way: string, text: string])[] = [
  ['a byte of memory', smuggler('(i32.load8_u (i32.const 70000))', '(i32.store8 (i32.const 70000) (i32.const 1))')],
  [
    'the last bytes of memory, by a wide store at an offset',
    smuggler('(i32.load8_u (i32.const 131071))', '(i64.store offset=65536 (i32.const 65528) (i64.const -1))'),
  ],
  [
    'a byte of data',
    smuggler(
      '(i32.ne (i32.load8_u (i32.const 16)) (i32.const 123))',
      '(i32.store16 (i32.const 16) (i32.const 0x0101))',
    ),
  ],
  ['a float in memory', smuggler('(i32.load8_u (i32.const 90007))', '(f64.store (i32.const 90000) (f64.const -nan))')],
  [
    'a vector in memory',
    smuggler('(i32.load8_u (i32.const 90015))', '(v128.store (i32.const 90000) (v128.const i32x4 1 1 1 0x01010101))'),
  ],
  [
    'a lane of a vector in memory',
    smuggler('(i32.load8_u (i32.const 90000))', '(v128.store8_lane 0 (i32.const 90000) (v128.const i32x4 1 1 1 1))'),
  ],
  [
    'a fill',
    smuggler('(i32.load8_u (i32.const 99999))', '(memory.fill (i32.const 70000) (i32.const 1) (i32.const 30000))'),
  ],
  [
    'a copy',
    smuggler(
      '(i32.load8_u (i32.const 99999))',
      '(i32.store8 (i32.const 1) (i32.const 1)) (memory.copy (i32.const 99990) (i32.const 0) (i32.const 32))',
      {},
    ),
  ],
  [
    'a segment of data',
    smuggler('(i32.load8_u (i32.const 99999))', '(memory.init $d (i32.const 99999) (i32.const 0) (i32.const 1))', {
      parts: '(data $d "\\01")',
    }),
  ],
  [
    'what the host writes',
    smuggler(
      '(i32.load8_u (i32.const 99999))',
      '(drop (call $input_read (i32.const 99999) (i32.const 0) (i32.const 1)))',
    ),
  ],
  ['the size of memory', smuggler('(i32.ne (memory.size) (i32.const 2))', '(drop (memory.grow (i32.const 1)))')],
  [
    'a byte of a memory that has grown',
    smuggler(
      '(i32.load8_u (i32.const 131072))',
      '(drop (memory.grow (i32.const 1))) (i32.store8 (i32.const 131072) (i32.const 1))',
      { memory: '(memory (export "memory") 3)' },
    ),
  ],
  [
    'how much its memory may still grow',
    smuggler('(i32.eq (memory.grow (i32.const 62)) (i32.const -1))', '(drop (memory.grow (i32.const 0)))'),
  ],
  [
    'a byte behind its memory',
    smuggler('(i32.load8_u (i32.const 4000000))', '(i32.store8 (i32.const 4000000) (i32.const 1))'),
  ],
  [
    'a variable',
    smuggler('(global.get $g)', '(global.set $g (i32.const 1))', { parts: '(global $g (mut i32) (i32.const 0))' }),
  ],
  [
    'a variable of 64 bits',
    smuggler('(i32.wrap_i64 (global.get $g))', '(global.set $g (i64.const -1))', {
      parts: '(global $g (mut i64) (i64.const 0))',
    }),
  ],
  ...(['f32', 'f64'] as const).map((type): readonly [string, string] => {
    const [whole, kept, bits] =
      type === 'f32' ? ['i32', '0x7fa00001', 'nan:0x200001'] : ['i64', '0x7ff4000000000001', 'nan:0x4000000000001']
    return [
      `which NaN a variable of ${type} was`,
      smuggler(`(${whole}.ne (${whole}.reinterpret_${type} (global.get $g)) (${whole}.const ${kept}))`, '', {
        parts: `(global $g (mut ${type}) (${type}.const ${bits}))`,
      }),
    ]
  }),
  [
    'a variable of a vector',
    smuggler('(i32x4.extract_lane 0 (global.get $g))', '(global.set $g (v128.const i32x4 1 1 1 1))', {
      parts: '(global $g (mut v128) (v128.const i32x4 0 0 0 0))',
    }),
  ],
  [
    'a variable of a reference',
    smuggler('(i32.eqz (ref.is_null (global.get $g)))', '(global.set $g (ref.func $f))', {
      parts: '(global $g (mut funcref) (ref.null func)) (func $f) (elem declare func $f)',
    }),
  ],
  [
    'an element of a table',
    smuggler('(i32.eqz (ref.is_null (table.get $t (i32.const 0))))', '(table.set $t (i32.const 0) (ref.func $f))', {
      parts: '(table $t 1 funcref) (func $f) (elem declare func $f)',
    }),
  ],
  [
    'the size of a table',
    smuggler('(i32.ne (table.size $t) (i32.const 1))', '(drop (table.grow $t (ref.null func) (i32.const 1)))', {
      parts: '(table $t 1 funcref)',
    }),
  ],
]

for (const [way, text] of ways) {
  test(`no call learns from another by ${way}`, async () => {
    const rule = await open(text, stateful)
    for (let n = 0; n < 3; n++) {
      const { answer: told, failure } = await run(rule, new Uint8Array([1]))
      assert.is(failure, null, failure?.message)
      assert.is(told?.reason, 'A', `call ${n}`)
    }
  })
}

test('no call learns from another by a segment that was dropped', async () => {
  const text = smuggler(
    '(i32.const 0)',
    '(memory.init $d (i32.const 99999) (i32.const 0) (i32.const 1)) (data.drop $d)',
    {
      parts: '(data $d "\\01")',
    },
  )
  const rule = await open(text, stateful)
  for (let n = 0; n < 3; n++) assert.is((await run(rule)).failure, null)
})

test('no call learns from another by blocks of Extism, and none of its variables is offered', async () => {
  const parts = `(import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "free" (func $free (param i64)))
    (import "extism:host/env" "load_u8" (func $load (param i64) (result i32)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))`
  const body = `(local.set $l (call $alloc (i64.const 64)))
    (local.set $n (call $load (local.get $l)))
    (call $store (local.get $l) (i32.const 1))
    (call $free (local.get $l))
    (i32.store8 (i32.const 553) (i32.add (i32.const 65) (local.get $n)))
    (call $output_write (i32.const 512) (i32.const 45))`
  const text = wat({ body, parts: answer }).replace('(module', `(module ${parts}`)
  const rule = await open(text, stateful)
  for (let n = 0; n < 3; n++) {
    const { answer: told, failure } = await run(rule)
    assert.is(failure, null, failure?.message)
    assert.is(told?.reason, 'A')
  }
})

test('a store of one call is not seen by the next unless it is given', async () => {
  const text = smuggler(
    '(i32.ne (call $kv_get (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 0)) (i32.const -1))',
    '(drop (call $kv_set (i32.const 16) (i32.const 4) (i32.const 16) (i32.const 4) (i32.const 0)))',
  )
  const rule = await open(text, stateful)
  const first = await run(rule, '', {})
  assert.equal(
    first.writes.map(({ value }) => value),
    ['{"ve'],
  )
  assert.is((await run(rule, '', {})).answer?.reason, 'A')
  assert.is((await run(rule, '', { '{"ve': 'x' })).answer?.reason, 'B')
})

test('an instance that is made anew in a call sees nothing of it while it starts', async () => {
  const parts = `(import "extism:host/env" "input_length" (func $length (result i64)))
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))`
  const text = wat({
    body: `(if (i64.eq (call $length) (i64.const 1)) (then unreachable))
      (i32.store8 (i32.const 553) (i32.add (i32.const 65) (i32.or (global.get $seen) (i64.ne (call $alloc (i64.const 8)) (i64.const 8)))))
      (call $output_write (i32.const 512) (i32.const 45))`,
    parts: `${answer} (global $seen (mut i32) (i32.const 0)) (start $s)
      (func $s (drop (call $alloc (i64.const 8))) (global.set $seen (i64.ne (call $length) (i64.const 0))))`,
  }).replace('(module', `(module ${parts}`)
  const rule = await open(text)
  for (let n = 0; n < 3; n++) {
    assert.is((await run(rule, '12345')).answer?.reason, 'A')
    assert.is((await run(rule, '1')).failure?.kind, 'trap')
  }
})

test('an instance is kept where it can be put back, and fuel is the same in each call', async () => {
  const text = smuggler('(i32.load8_u (i32.const 70000))', '(i32.store8 (i32.const 70000) (i32.const 1))')
  const rule = await open(text, stateful)
  const runs = []
  for (let n = 0; n < 5; n++) runs.push((await run(rule)).fuel)
  assert.is(new Set(runs).size, 1)
})

test.run()
