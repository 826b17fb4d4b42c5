import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeInput, inputOf } from './input.js'
import { open, problemsOf, run } from './rule.fixture.js'
import { WASI_FUNCTIONS, WASI_MODULE } from './wasi.js'

const test = suite('the stub of WASI')
const manifest = { wasiStub: true, capabilities: ['log'] }
const grants = { wasiStub: true }

/** A module that imports these functions, with memory, and answers `pass` behind its body. */
function wat(names: readonly string[], body: string, more = ''): string {
  const imports = names.map((name) => {
    const { params, results } = WASI_FUNCTIONS[name] ?? { params: [], results: [] }
    const result = results.length > 0 ? '(result i32)' : ''
    return `(import "${WASI_MODULE}" "${name}" (func $${name} (param ${params.join(' ')}) ${result}))`
  })
  return `(module ${imports.join('\n')}
    (import "extism:host/user" "output_write" (func $output_write (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "{\\"version\\":1,\\"verdict\\":\\"pass\\",\\"reason\\":\\"                \\"}")
    (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
    ${more}
    (func $tell (call $output_write (i32.const 16) (i32.const 58)))
    (func (export "evaluate") (result i32) (local $n i32) ${body} (call $tell) (i32.const 0)))`
}

/** Writes the four bits of each of eight bytes at 256 as letters into the reason. */
const spell = `(loop $next
  (i32.store8 (i32.add (i32.const 56) (i32.mul (local.get $n) (i32.const 2)))
    (i32.add (i32.const 97) (i32.shr_u (i32.load8_u (i32.add (i32.const 256) (local.get $n))) (i32.const 4))))
  (i32.store8 (i32.add (i32.const 57) (i32.mul (local.get $n) (i32.const 2)))
    (i32.add (i32.const 97) (i32.and (i32.load8_u (i32.add (i32.const 256) (local.get $n))) (i32.const 15))))
  (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 8))))`

const read = (letters: string): bigint =>
  Buffer.from(
    letters.replaceAll(/./g, (letter) => (letter.charCodeAt(0) - 97).toString(16)),
    'hex',
  ).readBigUInt64LE()

const inputAt = (call: { readonly id: string; readonly time: number }) => encodeInput(inputOf({ call }), ['message'])

test('is refused without the grant, and without the wish of the manifest', async () => {
  const module = wat(['sched_yield'], '(drop (call $sched_yield))')
  assert.match(await problemsOf(module, { manifest }), /must be granted/)
  assert.match(await problemsOf(module, { grants }), /wasiStub/)
  assert.is(await problemsOf(module, { manifest, grants }), 'none')
})

test('offers no function that WASI does not have, nor with another type', async () => {
  const strange = `(module (import "${WASI_MODULE}" "NAME" (func (param i32) (result i32))))`
  for (const name of ['proc_fork', 'constructor', '__proto__', 'fd_write'])
    assert.match(await problemsOf(strange.replace('NAME', name), { manifest, grants }), /imports/, name)
})

test('tells the time of the call, and one that stands still where time goes on', async () => {
  const clock = (id: number) =>
    wat(['clock_time_get'], `(drop (call $clock_time_get (i32.const ${id}) (i64.const 0) (i32.const 256))) ${spell}`)
  const time = 1_700_000_000_123
  const real = await run(await open(clock(0), { manifest, grants }), inputAt({ id: 'a', time }))
  assert.is(read(real.answer?.reason ?? ''), BigInt(time) * 1_000_000n)
  const steady = await run(await open(clock(1), { manifest, grants }), inputAt({ id: 'a', time }))
  assert.is(read(steady.answer?.reason ?? ''), 1_000_000_000n)
})

test('draws the same numbers in every run of a call, and others in another call', async () => {
  const module = wat(['random_get'], `(drop (call $random_get (i32.const 256) (i32.const 40))) ${spell}`)
  const rule = await open(module, { manifest, grants })
  const reasons = []
  for (const id of ['a', 'a', 'b']) reasons.push((await run(rule, inputAt({ id, time: 1 }))).answer?.reason)
  assert.is(reasons[0], reasons[1])
  assert.is.not(reasons[0], reasons[2])
})

test('pays for each line that is printed, be it told or not', async () => {
  const print = `(memory.fill (i32.const 400) (i32.const 10) (i32.const 65000))
    (i32.store (i32.const 300) (i32.const 400)) (i32.store (i32.const 304) (i32.const 65000))
    (drop (call $fd_write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)))`
  const ran = await run(await open(wat(['fd_write'], print), { manifest, grants }))
  assert.is(ran.failure?.kind, 'fuel', ran.failure?.message)
  assert.ok(ran.ms < 2_000, `${ran.ms} ms`)
})

test('writes what is printed to the log, line by line, within its quota, or nowhere', async () => {
  const print = (file: number) => `(i32.store (i32.const 300) (i32.const 400)) (i32.store (i32.const 304) (i32.const 9))
    (drop (call $fd_write (i32.const ${file}) (i32.const 300) (i32.const 1) (i32.const 308)))`
  const text = '(data (i32.const 400) "a\\07b\\nline\\n")'
  const module = wat(['fd_write'], `${print(1)} ${print(2)} ${print(3)}`, text)
  const ran = await run(await open(module, { manifest, grants }))
  assert.equal(ran.log, [
    { level: 'info', text: 'a\\u0007b' },
    { level: 'info', text: 'line' },
    { level: 'warn', text: 'a\\u0007b' },
    { level: 'warn', text: 'line' },
  ])
  const silent = await run(await open(module, { manifest: { wasiStub: true }, grants }))
  assert.equal(silent.log, [])
  const loop = wat(['fd_write'], `(loop $on ${print(1)} (br $on))`, text)
  const { failure, log, dropped } = await run(await open(loop, { manifest, grants }))
  assert.is(failure?.kind, 'fuel')
  assert.is(log.length, 16)
  assert.ok(dropped > 0)
})

test('has no files, arguments, environment, network or waiting', async () => {
  const answers = {
    path_open: [
      '(i32.const 3) (i32.const 0) (i32.const 400) (i32.const 4) (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 256)',
      52,
    ],
    fd_prestat_get: ['(i32.const 3) (i32.const 256)', 8],
    fd_read: ['(i32.const 0) (i32.const 300) (i32.const 1) (i32.const 256)', 8],
    poll_oneoff: ['(i32.const 300) (i32.const 400) (i32.const 1) (i32.const 256)', 52],
    sock_send: ['(i32.const 3) (i32.const 300) (i32.const 1) (i32.const 0) (i32.const 256)', 52],
    args_sizes_get: ['(i32.const 256) (i32.const 260)', 0],
    environ_sizes_get: ['(i32.const 256) (i32.const 260)', 0],
  } as const
  for (const [name, [values, expected]] of Object.entries(answers)) {
    const module = wat([name], `(if (i32.ne (call $${name} ${values}) (i32.const ${expected})) (then unreachable))`)
    const { failure } = await run(await open(module, { manifest, grants }))
    assert.is(failure, null, name)
  }
})

test('ends a run that ends itself, or that points outside of its memory', async () => {
  const ended = await run(await open(wat(['proc_exit'], '(call $proc_exit (i32.const 7))'), { manifest, grants }))
  assert.is(ended.failure?.kind, 'trap')
  assert.match(ended.failure?.message ?? '', /7/)
  const wide = [
    wat(['random_get'], '(drop (call $random_get (i32.const 4194300) (i32.const 100)))'),
    wat(['random_get'], '(drop (call $random_get (i32.const 0) (i32.const -1)))'),
    wat(['clock_time_get'], '(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 4194301)))'),
    wat(['fd_write'], '(drop (call $fd_write (i32.const 1) (i32.const -4) (i32.const 1) (i32.const 0)))'),
    wat(
      ['fd_write'],
      '(i32.store (i32.const 304) (i32.const -1)) (drop (call $fd_write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 0)))',
    ),
  ]
  for (const module of wide) {
    const rule = await open(module, { manifest, grants })
    assert.ok(['trap', 'fuel'].includes((await run(rule)).failure?.kind ?? ''))
  }
})

test('starts a module that has an _initialize, with the stub, before its first call', async () => {
  const start = `(global $begun (mut i32) (i32.const 0))
    (func (export "_initialize") (drop (call $random_get (i32.const 256) (i32.const 8))) (global.set $begun (i32.const 1)))`
  const module = wat(['random_get'], '(if (i32.eqz (global.get $begun)) (then unreachable))', start)
  const rule = await open(module, { manifest, grants })
  const fuel = new Set()
  for (let n = 0; n < 3; n += 1) {
    const ran = await run(rule)
    assert.is(ran.failure, null)
    fuel.add(ran.fuel)
  }
  assert.is(fuel.size, 1)
})

test.run()
