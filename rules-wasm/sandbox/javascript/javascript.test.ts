import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { body, buildOf, openOf, runOnce, runWith } from './rule.fixture.js'

const test = suite('a rule in JavaScript')
const pass = "return { verdict: 'pass' }"

test('answers verdicts, findings and other texts, and need not name the version', async () => {
  const { answer, failure } = await runOnce(body("return { verdict: 'block', reason: input.message.a + '!' }"), {
    message: { a: 'drøp 💥' },
  })
  assert.is(failure, null)
  assert.equal(answer, { version: 1, verdict: 'block', reason: 'drøp 💥!' })
  const found = await runOnce(
    body(
      "return { verdict: 'modify', texts: [{ text: 0, value: 'b' }], findings: [{ type: 't', text: 0, start: 0, end: 1 }] }",
    ),
  )
  assert.equal(found.answer?.findings, [{ type: 't', text: 0, start: 0, end: 1 }])
  assert.equal(found.answer?.texts, [{ text: 0, value: 'b' }])
})

test('is shown the input as it is', async () => {
  const source = body(
    "return { verdict: 'block', reason: JSON.stringify([input.leg, input.call.user, input.texts, input.keys]) }",
  )
  const { answer } = await runOnce(source, {
    message: { arguments: { q: 'one', deep: ['two'] } },
    call: { user: 'a@b' },
  })
  assert.equal(JSON.parse(answer?.reason ?? ''), ['request', 'a@b', ['one', 'two'], ['arguments', 'q', 'deep']])
})

test('has of the host only what its manifest names', async () => {
  const names = "return { verdict: 'block', reason: Object.keys(gatehouse).join() + typeof console }"
  assert.is((await runOnce(body(names))).answer?.reason, 'undefined')
  const manifest = { capabilities: ['config', 'log', 'kv', 'regex', 'counters'], stateful: true }
  assert.is((await runOnce(body(names), { manifest })).answer?.reason, 'config,log,kv,counter,regexobject')
  const { failure } = await runOnce(body('gatehouse.kv.get("a")'))
  assert.is(failure?.kind, 'error')
  assert.match(failure?.message ?? '', /TypeError/)
})

test('finds nothing of the machine in its globals', async () => {
  const { answer } = await runOnce(
    body("return { verdict: 'block', reason: Object.getOwnPropertyNames(globalThis).join(' ') }"),
  )
  const names = answer?.reason?.split(' ') ?? []
  for (const name of [
    'eval',
    'SharedArrayBuffer',
    'Atomics',
    'setTimeout',
    'fetch',
    'process',
    'require',
    'performance',
    'std',
    'os',
  ])
    assert.not(names.includes(name), name)
})

test('reads its configuration, at its top level too', async () => {
  const manifest = { capabilities: ['config'], config: { word: {}, other: { default: 'o' } } }
  const source = `const word = gatehouse.config('word')
    export const evaluate = () => ({ verdict: 'block', reason: [word, gatehouse.config('other'), gatehouse.config('__proto__')].join() })`
  const { answer } = await runOnce(source, { manifest, config: { word: 'w' } })
  assert.is(answer?.reason, 'w,o,')
})

test('logs, counts, and finds by the patterns of its manifest', async () => {
  const manifest = { capabilities: ['log', 'counters', 'regex'], counters: ['seen'], patterns: { digits: '[0-9]+' } }
  const source =
    body(`gatehouse.log('warn', 'a\\nb'); console.log('x', { y: 1 }); gatehouse.counter('seen', 2); gatehouse.counter('seen')
    const text = 'é💥 12 345', first = gatehouse.regex('digits', text), second = gatehouse.regex('digits', text, first.end)
    return { verdict: 'block', reason: text.slice(first.start, first.end) + '/' + text.slice(second.start, second.end) + gatehouse.regex('digits', '') }`)
  const { answer, log, counters } = await runOnce(source, { manifest })
  assert.is(answer?.reason, '12/345null')
  assert.equal(log, [
    { level: 'warn', text: 'a\\u000ab' },
    { level: 'info', text: 'x {"y":1}' },
  ])
  assert.equal({ ...counters }, { seen: 3 })
})

test('stores texts, reads what it wrote, and tells what it has read', async () => {
  const manifest = { capabilities: ['kv'], stateful: true }
  const source = body(`const { kv } = gatehouse
    const before = kv.get('n'); kv.delete('n'); kv.set('m', before + '\\u0000é', 60); const after = kv.get('m')
    return { verdict: 'block', reason: JSON.stringify([before, after, kv.get('none')]) }`)
  const { answer, reads, writes } = await runOnce(source, { manifest, kv: new Map([['n', '1']]) })
  assert.equal(JSON.parse(answer?.reason ?? ''), ['1', '1\u0000é', null])
  assert.equal({ ...reads }, { n: '1', none: null })
  assert.equal(writes, [
    { key: 'n', value: null, ttlSeconds: 0 },
    { key: 'm', value: '1\u0000é', ttlSeconds: 60 },
  ])
})

test('is told the time of the call, in UTC, and draws the same random numbers in every run of it', async () => {
  const source = body(
    "return { verdict: 'block', reason: [Date.now(), new Date(0).getHours(), new Date().getTimezoneOffset(), Math.random(), Math.random()].join() }",
  )
  const rule = await openOf(source)
  const [first, again, other] = [
    await runWith(rule, { call: { id: 'a', time: 1_700_000_000_000 } }),
    await runWith(rule, { call: { id: 'a', time: 1_700_000_000_000 } }),
    await runWith(rule, { call: { id: 'b', time: 1_700_000_000_001 } }),
  ]
  assert.match(first.answer?.reason ?? '', /^1700000000000,0,0,0\.\d+,0\.\d+$/)
  assert.is(again.answer?.reason, first.answer?.reason)
  assert.match(other.answer?.reason ?? '', /^1700000000001,/)
  assert.is.not(other.answer?.reason?.slice(13), first.answer?.reason?.slice(13))
})

test('uses the same fuel for the same input, whatever ran before and wherever it was opened', async () => {
  const source = body(
    "let n = 0; for (const text of input.texts) n += text.length; if (n > 1000) for (;;); return { verdict: 'pass' }",
  )
  const rules = [await openOf(source), await openOf(source)]
  const fuel = new Set<number>()
  for (const rule of rules) {
    for (const message of [{ a: 'b' }, { a: 'x'.repeat(900) }, { a: 'x'.repeat(2000) }, { a: 'b' }]) {
      const ran = await runWith(rule, { message })
      if (message.a === 'b') fuel.add(ran.fuel)
    }
  }
  assert.is(fuel.size, 1)
  assert.ok(
    [...fuel].every((units) => units > 1000 && units < 500_000),
    String([...fuel]),
  )
})

test('is held to its input, which is 16 KiB unless its manifest asks for more, and 64 KiB at most', async () => {
  const run = (bytes: number, inputBytes?: number) =>
    runOnce(body(pass), { manifest: { limits: inputBytes ? { inputBytes } : {} }, message: { a: 'x'.repeat(bytes) } })
  const refusedRun = await run(16_384)
  assert.is(refusedRun.failure?.kind, 'refused')
  assert.is(refusedRun.fuel, 0)
  assert.is((await run(6_000)).failure, null)
  assert.is((await run(16_384, 65_536)).failure, null)
  assert.is((await run(65_536, 262_144)).failure?.kind, 'refused')
})

test('is refused at upload, with the place, when it cannot be loaded', async () => {
  const problemOf = async (source: string | Uint8Array, manifest = {}, grants = {}) => {
    const built = await buildOf(source, { manifest, grants })
    return built.ok ? 'none' : (built.problems[0]?.message ?? '')
  }
  assert.match(await problemOf('export function evaluate( {'), /SyntaxError.*rule\.js:1/)
  assert.match(await problemOf('function evaluate() {}'), /must export a function evaluate/)
  assert.match(await problemOf('export const evaluate = 1'), /must export a function evaluate/)
  assert.match(await problemOf("import fs from 'node:fs'; export function evaluate() {}"), /cannot be loaded/)
  assert.match(await problemOf('await new Promise(() => {}); export function evaluate() {}'), /may not wait/)
  assert.match(await problemOf('throw new Error("at the top")'), /at the top/)
  assert.match(await problemOf('for (;;);'), /fuel/)
  assert.match(await problemOf(Uint8Array.of(0xff)), /UTF-8/)
  assert.match(await problemOf(Uint8Array.of(0x20, 0)), /NUL/)
  assert.match(await problemOf(body(pass), { wasiStub: true }, { wasiStub: true }), /not for JavaScript/)
  const config = { capabilities: ['config'], config: { list: {} } }
  assert.is(await problemOf(`const list = gatehouse.config('list').split(); ${body(pass)}`, config), 'none')
})

test.run()
