import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { honest, open, type Options, PASS, run, wat } from './rule.fixture.js'

const all: Options = {
  manifest: {
    capabilities: ['log', 'config', 'kv', 'regex', 'counters'],
    stateful: true,
    counters: ['seen'],
    patterns: { mail: '[a-z]+@[a-z]+' },
    config: { word: { default: 'a long word' }, empty: { default: '' } },
  },
}
const imports = ['input_read', 'log', 'config_read', 'kv_get', 'kv_set', 'kv_delete', 'regex_match', 'counter_add']

/** Texts at fixed places; `$check` traps unless two numbers are the same. */
const parts = `
  (data (i32.const 1000) "word") (data (i32.const 1010) "empty") (data (i32.const 1020) "__proto__")
  (data (i32.const 1030) "constructor") (data (i32.const 1050) "seen") (data (i32.const 1060) "mail")
  (data (i32.const 1100) "to ann@home, bob@work") (data (i32.const 1200) "a\\1b[31m\\e2\\80\\aeb")
  (func $check (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))`
const at = (pointer: number, length: number) => `(i32.const ${pointer}) (i32.const ${length})`
const is = (call: string, value: number) => `(call $check ${call} (i32.const ${value}))`

async function holds(body: string, kv: Readonly<Record<string, string>> | null = {}, input: Uint8Array = honest) {
  const rule = await open(wat({ imports, parts, body: `${body} ${PASS}` }), all)
  const ran = await run(rule, input, kv)
  assert.is(ran.failure, null, ran.failure?.message)
  return ran
}

test('input_read copies what is there, from where it is asked, and no more', async () => {
  const input = new TextEncoder().encode('0123456789')
  const read = (out: number, offset: number, length: number) =>
    `(call $input_read (i32.const ${out}) (i32.const ${offset}) (i32.const ${length}))`
  await holds(
    [
      is(read(4000, 0, 100), 10),
      is('(i32.load8_u (i32.const 4009))', 0x39),
      is('(i32.load8_u (i32.const 4010))', 0),
      is(read(4000, 8, 100), 2),
      is(read(4000, 2, 3), 3),
      is('(i32.load8_u (i32.const 4000))', 0x32),
      is(read(4000, 10, 1), 0),
      is(read(4000, -1, 1), 0),
      is(read(4000, 0, 0), 0),
      is(read(131_070, 0, 2), 2),
    ].join('\n'),
    null,
    input,
  )
})

test('config_read gives what is configured, as far as there is room, and nothing that every object has', async () => {
  const read = (key: string, room: number) => `(call $config_read ${key} ${at(4000, room)})`
  await holds(
    [
      is(read(at(1000, 4), 100), 11),
      is('(i32.load8_u (i32.const 4010))', 0x64),
      is(read(at(1000, 4), 0), 11),
      is(read(at(1010, 5), 100), 0),
      is(read(at(1020, 9), 100), -1),
      is(read(at(1030, 11), 100), -1),
      is(read(at(1000, 3), 100), -1),
    ].join('\n'),
  )
})

test('the store gives and takes, and tells what was read and is to be written', async () => {
  const { reads, writes } = await holds(
    [
      is(`(call $kv_get ${at(1000, 4)} ${at(4000, 9)})`, 3),
      is('(i32.load8_u (i32.const 4002))', 0x65),
      is(`(call $kv_get ${at(1020, 9)} ${at(4000, 9)})`, -1),
      is(`(call $kv_set ${at(1020, 9)} ${at(1100, 6)} (i32.const 60))`, 1),
      is(`(call $kv_get ${at(1020, 9)} ${at(4000, 2)})`, 6),
      `(call $kv_delete ${at(1000, 4)})`,
      is(`(call $kv_get ${at(1000, 4)} ${at(4000, 9)})`, -1),
    ].join('\n'),
    { word: 'one', other: 'two' },
  )
  assert.equal(Object.entries(reads), [
    ['word', 'one'],
    ['__proto__', null],
  ])
  assert.equal(writes, [
    { key: '__proto__', value: 'to ann', ttlSeconds: 60 },
    { key: 'word', value: null, ttlSeconds: 0 },
  ])
})

test('regex_match finds by the patterns of the manifest, counted in bytes', async () => {
  const match = (id: string, from: number) =>
    `(call $regex_match ${id} ${at(1100, 21)} (i32.const ${from}) (i32.const 4000))`
  await holds(
    [
      is(match(at(1060, 4), 0), 1),
      is('(i32.load (i32.const 4000))', 3),
      is('(i32.load (i32.const 4004))', 11),
      is(match(at(1060, 4), 11), 1),
      is('(i32.load (i32.const 4000))', 13),
      is(match(at(1060, 4), 21), 0),
      is(match(at(1060, 4), 99), 0),
      is(match(at(1020, 9), 0), -1),
    ].join('\n'),
  )
})

test('a text with a thousand matches is paid for about once', async () => {
  const { fuel } = await holds(
    `(memory.fill (i32.const 8000) (i32.const 46) (i32.const 60000))
    (local.set $n (i32.const 0))
    (loop $l
      (i32.store (i32.add (i32.const 8000) (local.get $n)) (i32.const 0x2e614061))
      (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 60))) (i32.const 60000))))
    (local.set $n (i32.const 0))
    (loop $l
      (if (call $regex_match ${at(1060, 4)} ${at(8000, 60_000)} (local.get $n) (i32.const 4000))
        (then (local.set $n (i32.load (i32.const 4004))) (br $l))))
    (call $check (local.get $n) (i32.const 59943))`,
  )
  assert.ok(fuel < 3_000_000, String(fuel))
})

test('counters add up, and the log shows no sign that a terminal would obey', async () => {
  const count = `(call $counter_add ${at(1050, 4)} (i32.const 3))`
  const { counters, log } = await holds(`${count} ${count} (call $log (i32.const 3) ${at(1200, 10)})`)
  assert.equal({ ...counters }, { seen: 6 })
  assert.equal(log, [{ level: 'error', text: 'a\\u001b[31m\\u202eb' }])
})

test('a line of the log is cut at its quota', async () => {
  const { log } = await holds(
    `(memory.fill (i32.const 8000) (i32.const 97) (i32.const 5000)) (call $log (i32.const 0) ${at(8000, 5000)})`,
  )
  assert.is(log[0]?.text.length, 1_024)
})

/** A guest as Extism's kits build them: blocks, loads and stores, `output_set`. */
const kit = (body: string) => `(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  (memory (export "memory") 1)
  (data (i32.const 16) "word__proto__")
  (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
  (func $put (param $from i32) (param $n i32) (result i64) (local $at i64) (local $i i32)
    (local.set $at (call $alloc (i64.extend_i32_u (local.get $n))))
    (loop $l
      (call $store_u8 (i64.add (local.get $at) (i64.extend_i32_u (local.get $i))) (i32.load8_u (i32.add (local.get $from) (local.get $i))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $at))
  (func (export "evaluate") (result i32) (local $a i64) (local $n i32)
    ${body}
    (i32.const 0)))`

const echo = '(call $output_set (call $input_offset) (call $input_length))'
const answer = '{"version":1,"verdict":"block","reason":"because"}'

test('runs a guest that was built with a kit of Extism', async () => {
  const rule = await open(
    kit(`(local.set $a (call $alloc (call $input_length)))
      (call $store_u64 (local.get $a) (call $input_load_u64 (i64.const 0)))
      (call $store_u8 (i64.add (local.get $a) (i64.const 8)) (call $input_load_u8 (i64.const 8)))
      (if (i64.ne (call $load_u64 (local.get $a)) (call $load_u64 (call $input_offset))) (then unreachable))
      (if (i64.ne (call $length (local.get $a)) (call $input_length)) (then unreachable))
      (call $log_info (call $put (i32.const 16) (i32.const 4)))
      (local.set $a (call $config_get (call $put (i32.const 16) (i32.const 4))))
      (if (i64.ne (call $length (local.get $a)) (i64.const 11)) (then unreachable))
      (if (i64.ne (call $config_get (call $put (i32.const 20) (i32.const 9))) (i64.const 0)) (then unreachable))
      ${echo}`),
    all,
  )
  for (let n = 0; n < 2; n++) {
    const { answer: told, failure, log } = await run(rule, answer)
    assert.is(failure, null, failure?.message)
    assert.is(told?.reason, 'because')
    assert.equal(log, [{ level: 'info', text: 'word' }])
  }
})

const faults: readonly (readonly [law: string, kind: string, body: string])[] = [
  [
    '70,000 tiny blocks',
    'memory',
    '(loop $l (drop (call $alloc (i64.const 0))) (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 70000))))',
  ],
  ['blocks of more than its memory', 'memory', '(loop $l (drop (call $alloc (i64.const 1048576))) (br $l))'],
  ['a block of a negative length', 'fuel', '(drop (call $alloc (i64.const -1)))'],
  ['an address where nothing is', 'trap', '(drop (call $load_u8 (i64.const 4096)))'],
  ['an address of 0', 'trap', '(drop (call $load_u8 (i64.const 0)))'],
  ['an address of another world', 'trap', '(drop (call $load_u64 (i64.const 0x1000000000008)))'],
  [
    'a store behind its last block',
    'trap',
    '(call $store_u64 (i64.add (call $alloc (i64.const 8)) (i64.const 4)) (i64.const 1))',
  ],
  ['reading behind the end of its input', 'trap', '(drop (call $input_load_u64 (call $input_length)))'],
  ['an answer longer than its block', 'trap', '(call $output_set (call $alloc (i64.const 8)) (i64.const 9))'],
  [
    'an answer from a block that it gave back',
    'trap',
    '(local.set $a (call $alloc (i64.const 8))) (call $free (local.get $a)) (call $output_set (local.get $a) (i64.const 8))',
  ],
  ['an error of its own', 'error', `${echo} (call $error_set (call $put (i32.const 16) (i32.const 4)))`],
]

for (const [law, kind, body] of faults) {
  test(`ends ${law}, and the rule answers the next call`, async () => {
    const rule = await open(kit(`(if (i64.eq (call $input_length) (i64.const 1)) (then ${body} ) (else ${echo}))`), all)
    const { failure } = await run(rule, '!')
    assert.is(failure?.kind, kind, failure?.message)
    assert.is((await run(rule, answer)).answer?.reason, 'because')
  })
}

test('writing to the block of the input changes nothing for whoever gave it', async () => {
  const rule = await open(kit(`(call $store_u8 (call $input_offset) (i32.const 65)) ${echo}`), all)
  const input = new TextEncoder().encode(answer)
  const before = input.slice()
  assert.is((await rule.run({ input, kv: null })).failure?.kind, 'answer')
  assert.equal(input, before)
})

test('telling an error again and again is paid for', async () => {
  const text = `(module (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "error_set" (func $error (param i64)))
    (memory (export "memory") 1) (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
    (func (export "evaluate") (result i32) (local $at i64)
      (local.set $at (call $alloc (i64.const 500))) (loop $l (call $error (local.get $at)) (br $l)) (i32.const 0)))`
  const { failure, ms } = await run(await open(text))
  assert.is(failure?.kind, 'fuel', failure?.message)
  assert.ok(ms < 5_000, `${ms} ms`)
})

test.run()
