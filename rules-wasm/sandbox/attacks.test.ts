import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { assemble, build, open, type Options, PASS, problemsOf, run, wat, type Parts } from './rule.fixture.js'
import { whyNotOpened } from './open.js'
import type { FailureKind, OpenRule, Ran } from './types.js'

const everything = ['log', 'config', 'kv', 'regex', 'counters']
const bold: Options = {
  manifest: {
    capabilities: everything,
    stateful: true,
    counters: ['version'],
    patterns: { word: 'a+', hostile: '(?i)(x|[a-z])*(x|[a-z])*[^a]([a-z]|q)*\\d' },
  },
}

/** Every host function, so that any of them can be called. */
const imports = ['input_read', 'log', 'config_read', 'kv_get', 'kv_set', 'kv_delete', 'regex_match', 'counter_add']

/** Does what it must not when the input begins with `!`, else answers `pass`. */
const attack = (body: string, parts: Omit<Parts, 'body'> = {}): string =>
  wat({
    imports,
    ...parts,
    body: `(drop (call $input_read (i32.const 8192) (i32.const 0) (i32.const 1)))
      (if (i32.eq (i32.load8_u (i32.const 8192)) (i32.const 33)) (then ${body}))
      ${PASS}`,
  })

async function fails(rule: OpenRule, kind: FailureKind): Promise<Ran> {
  const ran = await run(rule, '!', {})
  assert.is(ran.answer, null, JSON.stringify(ran.answer))
  assert.is(ran.failure?.kind, kind, ran.failure?.message)
  return ran
}

/** The same rule answers the next honest call. */
async function isUnharmed(rule: OpenRule): Promise<void> {
  const { answer, failure } = await run(rule)
  assert.is(failure, null)
  assert.is(answer?.verdict, 'pass')
}

async function refusesToOpen(text: string): Promise<void> {
  const problem = await open(text).then(
    () => 'it was opened',
    (error: unknown) => String(error),
  )
  assert.match(problem, /cannot be started/)
}

const endless = '(loop $l (br $l))'
const key = '(i32.const 16) (i32.const 4)'

const attacks: readonly (readonly [law: string, kind: FailureKind, body: string, parts?: Omit<Parts, 'body'>])[] = [
  ['an endless loop', 'fuel', endless],
  [
    'a loop of host calls',
    'fuel',
    '(loop $l (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 0))) (br $l))',
  ],
  ['a flood of the log', 'fuel', '(loop $l (call $log (i32.const 1) (i32.const 16) (i32.const 30)) (br $l))'],
  ['a flood of counts', 'fuel', '(loop $l (call $counter_add (i32.const 18) (i32.const 7) (i32.const 1)) (br $l))'],
  [
    'a flood of the store',
    'fuel',
    `(loop $l (i32.store (i32.const 9000) (local.tee $n (i32.add (local.get $n) (i32.const 1))))
      (i32.store (i32.const 9000) (i32.and (local.get $n) (i32.const 0x7f7f7f7f)))
      (drop (call $kv_set (i32.const 9000) (i32.const 4) (i32.const 16) (i32.const 31) (i32.const 0))) (br $l))`,
  ],
  [
    'a flood of questions to the store',
    'trap',
    `(loop $l (i32.store (i32.const 9000) (i32.and (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 0x7f7f)))
      (drop (call $kv_get (i32.const 9000) (i32.const 4) (i32.const 0) (i32.const 0))) (br $l))`,
  ],
  [
    'a memory bomb',
    'fuel',
    '(loop $l (drop (memory.grow (i32.const 1))) (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536))) (br $l))',
    { memory: '(memory (export "memory") 2)' },
  ],
  [
    'a table bomb',
    'fuel',
    '(loop $l (drop (table.grow $t (ref.null func) (i32.const 100000))) (drop (table.grow $t (ref.null func) (i32.const 100))) (br $l))',
    { parts: '(table $t 1 funcref)' },
  ],
  [
    'recursion without end',
    'stack',
    '(call $r (i64.const 0))',
    { parts: '(func $r (param i64) (call $r (local.get 0)) (call $r (local.get 0)))' },
  ],
  ['an answer of a gibibyte', 'trap', '(call $output_write (i32.const 0) (i32.const 0x40000000))'],
  ['an answer of a whole memory', 'output', '(call $output_write (i32.const 0) (i32.const 131072))'],
  ['a negative length', 'trap', '(call $output_write (i32.const 0) (i32.const -1))'],
  ['a pointer behind its memory', 'trap', '(call $log (i32.const 1) (i32.const 4194304) (i32.const 1))'],
  ['a pointer that wraps around', 'trap', '(call $log (i32.const 1) (i32.const -4) (i32.const 8))'],
  [
    'reading its input to where nothing is',
    'trap',
    '(drop (call $input_read (i32.const 4194304) (i32.const 0) (i32.const 1)))',
  ],
  [
    'a text of no UTF-8',
    'trap',
    '(i32.store8 (i32.const 9000) (i32.const 255)) (drop (call $kv_get (i32.const 9000) (i32.const 1) (i32.const 0) (i32.const 0)))',
  ],
  ['an unknown counter', 'trap', `(call $counter_add ${key} (i32.const 1))`],
  [
    'writing and deleting in turn',
    'trap',
    `(loop $l (i32.store (i32.const 9000) (i32.and (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 0x7f7f)))
      (drop (call $kv_set (i32.const 9000) (i32.const 4) (i32.const 16) (i32.const 31) (i32.const 0)))
      (call $kv_delete (i32.const 9000) (i32.const 4)) (br $l))`,
  ],
  ['a trap', 'trap', 'unreachable'],
  ['a number other than 0', 'error', `${PASS} (return (i32.const 3))`],
  ['silence', 'answer', '(return (i32.const 0))'],
  ['an answer that is no JSON', 'answer', '(call $output_write (i32.const 17) (i32.const 8)) (return (i32.const 0))'],
]

for (const [law, kind, body, parts] of attacks) {
  test(`ends ${law}, and the rule answers the next call`, async () => {
    const rule = await open(attack(body, parts), bold)
    await isUnharmed(rule)
    for (let n = 0; n < 2; n++) {
      const ran = await fails(rule, kind)
      assert.ok(ran.log.length <= 16 && ran.memoryPages <= 64)
      await isUnharmed(rule)
    }
  })
}

test('counts the lines of a flood, and keeps few', async () => {
  const rule = await open(attack(`(loop $l (call $log (i32.const 9) (i32.const 16) (i32.const 30)) (br $l))`), bold)
  const { log, dropped } = await run(rule, '!')
  assert.is(log.length, 16)
  assert.ok(dropped > 10_000)
  assert.equal(log[0], { level: 'info', text: '{"version":1,"verdict":"pass"}' })
})

test('a flood of the host ends in little time', async () => {
  const cheap = '(loop $l (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 0))) (br $l))'
  const rule = await open(attack(cheap), bold)
  const { ms } = await run(rule, '!')
  assert.ok(ms < 1_500, `${ms} ms`)
})

test('a loop in its start is ended, and tells so when it is opened', async () => {
  const text = wat({ body: PASS, parts: `(start $s) (func $s ${endless})` })
  await refusesToOpen(text)
  const reactor = wat({ body: PASS, parts: `(func (export "_initialize") ${endless})` })
  await refusesToOpen(reactor)
  assert.match((await whyNotOpened(await build(text))) ?? '', /cannot be started/)
  assert.is(await whyNotOpened(await build(wat({ body: PASS }))), null)
})

test('a start that calls the host before there is a memory is ended', async () => {
  await refusesToOpen(wat({ body: PASS, parts: `(start $s) (func $s ${PASS})` }))
})

test('does nothing of what a failed call has written to the store', async () => {
  const set = `(drop (call $kv_set ${key} (i32.const 16) (i32.const 3) (i32.const 0)))`
  const rule = await open(attack(`${set} unreachable`), bold)
  const { failure } = await fails(rule, 'trap')
  assert.ok(failure)
  const { writes, reads } = await run(rule, 'x', {})
  assert.equal(writes, [])
  assert.equal({ ...reads }, {})
})

test('never shows the host what the guest may write to', async () => {
  const rule = await open(attack('(memory.fill (i32.const 0) (i32.const 65) (i32.const 65536)) unreachable'), bold)
  const input = new TextEncoder().encode('!{"version":1}')
  const before = input.slice()
  await rule.run({ input, kv: null })
  assert.equal(input, before)
})

test('refuses an input that is over the limit of the rule, without running it', async () => {
  const rule = await open(attack('unreachable'), {
    manifest: { capabilities: everything, stateful: true, limits: { inputBytes: 10 } },
  })
  const ran = await run(rule, '!'.repeat(11))
  assert.is(ran.failure?.kind, 'refused')
  assert.is(ran.fuel, 0)
})

test('holds a memory to what its manifest and the operator allow', async () => {
  const body = `(if (i32.eq (memory.grow (i32.const 8)) (i32.const -1)) (then (return (i32.const 7)))) ${PASS}`
  const within = await open(wat({ body }))
  assert.is((await run(within)).memoryPages, 10)
  const narrow = await open(wat({ body }), { ceilings: { memoryPages: 9 } })
  assert.match((await run(narrow)).failure?.message ?? '', /ended with 7/)
  const own = await open(wat({ body }), { manifest: { limits: { memoryPages: 9 } } })
  assert.match((await run(own)).failure?.message ?? '', /ended with 7/)
})

test('gives a rule the fuel of its limits, and tells what it used', async () => {
  const body = `(local.set $n (i32.const 10000)) (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) ${PASS}`
  const rule = await open(wat({ body }))
  const { fuel } = await run(rule)
  assert.ok(fuel > 10_000 && fuel < 200_000, String(fuel))
  assert.is((await run(rule)).fuel, fuel, 'the same in every run')
  const short = await open(wat({ body }), { manifest: { limits: { fuel: fuel - 1 } } })
  assert.is((await run(short)).failure?.kind, 'fuel')
})

test('a hostile pattern on a hostile text takes no time without end', async () => {
  const body = `(memory.fill (i32.const 0) (i32.const 97) (i32.const 131072))
    (i32.store (i32.const 0) (i32.const 0x74736f68)) (i32.store (i32.const 4) (i32.const 0x00656c69))
    (loop $l (drop (call $regex_match (i32.const 0) (i32.const 7) (i32.const 8) (i32.const 131000) (i32.const 0) (i32.const 131064))) (br $l))`
  const rule = await open(attack(body), bold)
  const began = performance.now()
  await fails(rule, 'fuel')
  assert.ok(performance.now() - began < 5_000)
  await isUnharmed(rule)
})

/** A look at the text of 64 KiB from 8000 on; the pattern is called `it`. */
const lookAt64k =
  '(call $regex_match (i32.const 0) (i32.const 2) (i32.const 8000) (i32.const 65536) (i32.const 0) (i32.const 100))'
const filled =
  '(memory.fill (i32.const 8000) (i32.const 97) (i32.const 65536)) (i32.store16 (i32.const 0) (i32.const 0x7469))'
const looking = (body: string, it: string) =>
  open(wat({ body: `${filled} ${body} ${PASS}`, imports: ['regex_match'] }), {
    manifest: { capabilities: ['regex'], patterns: { it } },
  })

test('a look that cannot be paid is refused before it is done, with the worst pattern that there may be', async () => {
  // 4,970 steps of 5,000; without an end that a text must have, nothing is known before it was read.
  const worst = await looking(`(drop ${lookAt64k})`, `[ab]*a${'[ab]{990}'.repeat(5)}[c-d]`)
  await run(worst)
  const began = performance.now()
  const { failure, fuel } = await run(worst)
  const ms = performance.now() - began
  assert.equal(
    [failure?.kind, failure?.message],
    ['fuel', 'the rule has not enough fuel left to look for a pattern in such a long text'],
  )
  assert.ok(fuel < 10_000, String(fuel))
  assert.ok(ms < 50, `${ms} ms`)
})

test('a pattern that reads on past its match pays for that, and ends by its fuel', async () => {
  const one = await run(
    await looking(`(i32.store8 (i32.const 8000) (i32.const 120)) (drop ${lookAt64k})`, 'x.*y[yz]|x'),
  )
  assert.is(one.failure, null)
  assert.ok(one.fuel > 65_536 * 5, String(one.fuel))
  const loop = `(i32.store8 (i32.const 8000) (i32.const 120)) (loop $l (drop ${lookAt64k}) (br $l))`
  const rule = await looking(loop, 'x.*y[yz]|x')
  const first = await run(rule)
  assert.is(first.failure?.kind, 'fuel')
  assert.is((await run(rule)).fuel, first.fuel, 'the same in every run')
})

test('what the guest itself has used is not there for a look', async () => {
  const spend =
    '(local.set $n (i32.const 1000000)) (loop $s (br_if $s (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))'
  const limits = async (body: string, fuel: number) => {
    const rule = await open(wat({ body: `${filled} ${body} ${PASS}`, imports: ['regex_match'] }), {
      manifest: { capabilities: ['regex'], patterns: { it: '[b-c]' }, limits: { fuel } },
    })
    return run(rule)
  }
  const look = (await limits(`(drop ${lookAt64k})`, 20_000_000)).fuel
  const both = await limits(`${spend} (drop ${lookAt64k})`, 20_000_000)
  assert.is((await limits(`${spend} (drop ${lookAt64k})`, both.fuel)).failure, null)
  const short = await limits(`${spend} (drop ${lookAt64k})`, both.fuel - 100_000)
  assert.is(short.failure?.kind, 'fuel')
  assert.ok(short.fuel < both.fuel - look + 10_000, String(short.fuel))
})

test('refuses what is no module, or too large to be one', async () => {
  const whole = assemble(wat({ body: PASS }))
  assert.match(await problemsOf(new Uint8Array(0)), /header|ends/)
  assert.match(await problemsOf(new TextEncoder().encode('not WebAssembly at all')), /not WebAssembly/)
  for (let cut = 9; cut < whole.length; cut += 17) assert.is.not(await problemsOf(whole.subarray(0, cut)), 'none')
  const large = new Uint8Array(50 * 1024 * 1024)
  large.set(whole)
  const began = performance.now()
  assert.match(await problemsOf(large), /has 52428800 bytes, more than 1048576.*grant "moduleBytes"/)
  assert.ok(performance.now() - began < 5_000)
})

test.run()
