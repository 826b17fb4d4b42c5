import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FailureKind, OpenRule } from '../types.js'
import { body, buildOf, openOf, runOnce, runWith } from './rule.fixture.js'

const test = suite('attacks of a rule in JavaScript')
const manifest = {
  capabilities: ['config', 'log', 'kv', 'regex', 'counters'],
  stateful: true,
  counters: ['seen'],
  patterns: { any: '(a*)*b' },
}

/** The attack is made when the message says so; otherwise the rule is honest. */
const attackOr = (attack: string) =>
  body(`if (input.message.attack) { ${attack} }
    const found = typeof globalThis.smuggled + typeof {}.smuggled + [].length + gatehouse.kv.get('smuggled')
    return { verdict: 'block', reason: found }`)

async function isHonest(rule: OpenRule): Promise<void> {
  const { answer, failure } = await runWith(rule, { kv: new Map() })
  assert.is(failure, null)
  assert.is(answer?.reason, 'undefinedundefined0null')
}

const attacks: readonly (readonly [name: string, kinds: readonly FailureKind[], source: string])[] = [
  ['an endless loop', ['fuel'], 'for (;;);'],
  ['a regular expression that backtracks without end', ['fuel'], "/(a+)+b/.test('a'.repeat(60))"],
  ['a native function without end', ['fuel'], '[].indexOf.call({ length: Number.MAX_SAFE_INTEGER }, 1)'],
  ['a sort without end', ['fuel'], '[...Array(1e6).keys()].sort(() => 1)'],
  ['a loop that catches whatever ends it', ['fuel'], 'for (;;) try { for (;;); } catch {} finally { continue }'],
  ['a generator without end', ['fuel'], 'function* all() { for (;;) yield 1 } for (const one of all());'],
  ['strings that double', ['memory', 'fuel'], "let text = 'x'; for (;;) text = text + text + JSON.stringify(text)"],
  ['a string of 1 GiB', ['memory'], "'x'.repeat(2 ** 30 - 2)"],
  ['arrays', ['memory', 'fuel'], 'const all = []; for (;;) all.push(new Array(1000).fill(0))'],
  ['typed arrays', ['memory'], 'const all = []; for (;;) all.push(new Uint8Array(100000))'],
  ['one huge buffer', ['memory', 'error'], 'new ArrayBuffer(2 ** 31)'],
  ['big integers', ['memory', 'fuel', 'error'], 'let n = 3n; for (;;) n *= n'],
  ['deep recursion', ['stack'], '(function deeper() { deeper() })()'],
  ['recursion through a proxy', ['stack'], 'new Proxy({}, { get: (target, key, self) => self[key] }).x'],
  ['recursion that begins again', ['fuel'], '(function again() { try { again() } finally { again() } })()'],
  ['JSON in JSON in JSON', ['error', 'stack'], "JSON.parse('['.repeat(100000))"],
  ['an answer that is too long', ['output'], "return { verdict: 'block', reason: 'x'.repeat(100000) }"],
  ['an answer whose reason is too long', ['answer'], "return { verdict: 'block', reason: 'x'.repeat(1000) }"],
  ['an answer that loops', ['fuel'], 'return { get verdict() { for (;;); } }'],
  ['an answer that throws', ['error'], "return { get verdict() { throw new Error('no') } }"],
  ['an answer in itself', ['error'], 'const answer = {}; answer.answer = answer; return answer'],
  ['an answer of a proxy', ['answer', 'error', 'fuel'], 'return new Proxy({}, { ownKeys: () => { throw 1 } })'],
  ['an answer by toJSON that loops', ['fuel'], 'return { toJSON() { for (;;); } }'],
  [
    'an answer without end',
    ['stack'],
    'return { toJSON() { return { a: { toJSON: this.toJSON.bind(this) } } }, a: (function f() { return f() })() }',
  ],
  ['no answer', ['answer'], 'return'],
  ['a text for an answer', ['answer'], "return 'pass'"],
  ['another version', ['answer'], "return { version: 2, verdict: 'pass' }"],
  ['half of a character', ['answer'], "return { verdict: 'block', reason: '\\ud800' }"],
  ['a promise', ['answer'], 'return new Promise(() => {})'],
  ['jobs that are never done', ['answer'], 'const again = () => Promise.resolve().then(again); return again()'],
  ['an error whose message loops', ['fuel', 'memory', 'error'], 'throw { get message() { for (;;); } }'],
  ['an error whose message throws', ['error'], 'throw { get message() { throw this } }'],
  ['an error that is a symbol', ['error'], "throw Symbol('s')"],
  ['an error of many words', ['error'], "throw new Error('x\\n'.repeat(100000))"],
  ['code out of a text', ['error'], "new Function('return 1')"],
  ['code out of a text by a way around', ['error'], "(function* () {}).constructor('yield 1')"],
  ['a counter that it does not have', ['trap'], "gatehouse.counter('other')"],
  ['a pattern that it does not have', ['error'], "gatehouse.regex('other', 'a')"],
  [
    'a question to the host that is none',
    ['trap'],
    "Array.prototype.toJSON = () => ({ 0: 'time' }); gatehouse.kv.get('a')",
  ],
  [
    'an operation that is none',
    ['trap'],
    "Array.prototype.toJSON = function () { return ['constructor', 'a'] }; gatehouse.kv.get('a')",
  ],
  ['half of a character to the host', ['trap'], "gatehouse.kv.set('\\ud800', '')"],
  ['host calls without end', ['fuel'], "for (;;) gatehouse.kv.get('a')"],
  ['logs without end', ['fuel'], "for (;;) gatehouse.log('info', 'x'.repeat(100000))"],
  ['patterns without end', ['fuel'], "const text = 'a'.repeat(100000); for (;;) gatehouse.regex('any', text)"],
]

for (const [name, kinds, attack] of attacks) {
  test(`ends ${name}, and answers the next call`, async () => {
    const rule = await openOf(attackOr(attack), { manifest })
    await isHonest(rule)
    const { answer, failure, ms, writes } = await runWith(rule, { message: { attack: true }, kv: new Map() })
    assert.is(answer, null)
    assert.ok(failure !== null && kinds.includes(failure.kind), `${failure?.kind}: ${failure?.message}`)
    assert.ok((failure?.message.length ?? 0) <= 400 && !/[\n\r]/.test(failure?.message ?? ''))
    assert.ok(ms < 5000 && writes.length === 0)
    await isHonest(rule)
  })
}

const smuggling: readonly (readonly [name: string, source: string])[] = [
  ['a global', 'globalThis.smuggled = 1'],
  ['the prototype of objects', 'Object.prototype.smuggled = 1; ({}).__proto__.smuggled = 1'],
  [
    'the prototype of arrays',
    "Object.defineProperty(Array.prototype, 'length', { value: 7 }); Array.prototype.push(1)",
  ],
  ['JSON', 'JSON.parse = JSON.stringify = () => { throw 1 }; Reflect.apply = 1'],
  ['a variable of the module', 'calls += 1; if (calls > 1) throw calls'],
  ['a closure', "kept.push('smuggled'); if (kept.length > 1) throw kept"],
  ['a regular expression', "sticky.test('aa'); if (sticky.lastIndex !== 1) throw sticky.lastIndex"],
  ['a symbol and a promise', "Symbol.for('smuggled'); Promise.resolve().then(() => { globalThis.smuggled = 1 })"],
  ['the store without a store', "gatehouse.kv.set('smuggled', '1')"],
  [
    'a full memory',
    'const all = []; try { for (;;) all.push(new Uint8Array(1000).fill(255)) } catch {} globalThis.smuggled = all',
  ],
]

for (const [name, smuggle] of smuggling) {
  test(`lets nothing of a call reach another by ${name}`, async () => {
    const source = `let calls = 0; const kept = []; const sticky = /a/g; ${attackOr(`${smuggle}; return { verdict: 'pass' }`)}`
    const rule = await openOf(source, { manifest })
    for (let n = 0; n < 2; n += 1) {
      const { failure } = await runWith(rule, { message: { attack: true } })
      assert.is(failure?.kind ?? null, name === 'a full memory' ? 'memory' : null, failure?.message)
      await isHonest(rule)
    }
  })
}

test('keeps sixteen lines of a kilobyte, and counts the rest', async () => {
  const rule = await openOf(
    body("for (let n = 0; n < 100; n++) console.log('x'.repeat(5000)); return { verdict: 'pass' }"),
    { manifest },
  )
  const { log, dropped, failure } = await runWith(rule)
  assert.is(failure, null)
  assert.is(log.length, 16)
  assert.ok(log.every(({ text }) => text.length === 1024))
  assert.is(dropped, 84)
})

test('refuses what a store has no room for', async () => {
  const source = body(`let kept = 0; while (gatehouse.kv.set('key' + kept, 'v')) kept++
    return { verdict: 'block', reason: [kept, gatehouse.kv.set('x'.repeat(200), ''), gatehouse.kv.set('key0', 'v'.repeat(5000))].join() }`)
  const { answer, writes } = await runWith(await openOf(source, { manifest }), { kv: new Map() })
  assert.is(answer?.reason, '64,false,false')
  assert.is(writes.length, 64)
})

test('takes the same memory and fuel in every call', async () => {
  const rule = await openOf(
    body("globalThis.all ??= []; all.push('x'.repeat(10000)); return { verdict: 'block', reason: String(all.length) }"),
  )
  const first = await runWith(rule)
  const calls = Number(process.env['SANDBOX_CALLS'] ?? 2_000)
  for (let n = 0; n < calls; n += 1) {
    const ran = await runWith(rule)
    if (ran.answer?.reason !== '1' || ran.memoryPages !== first.memoryPages || ran.fuel !== first.fuel)
      assert.equal({ ...ran, ms: 0 }, { ...first, ms: 0 })
  }
})

for (const question of ["['counter', 'c', 0.5]", "['kv.set', 'a', 'b', 1e-320]", "['kv.set', 'a', 'b', 0.4]"]) {
  test(`the host takes no part of a number: ${question}`, async () => {
    const manifest = { capabilities: ['log', 'kv', 'counters'], stateful: true, counters: ['c'] }
    const source = body(`Array.prototype.toJSON = function () { delete Array.prototype.toJSON; return ${question} }
      gatehouse.log('info', 'x'); return { verdict: 'pass' }`)
    const { failure, counters, writes } = await runOnce(source, { manifest, kv: new Map() })
    assert.is(failure?.kind, 'trap', failure?.message)
    assert.equal([{ ...counters }, writes], [{}, []])
  })
}

test('what never ends telling of itself is an error, and not called a lack of memory', async () => {
  const built = await buildOf('throw { get message() { for (;;); } }; export function evaluate() {}')
  assert.match(built.ok ? '' : (built.problems[0]?.message ?? ''), /cannot be told/)
})

test('a memory in which nothing can begin is a problem, not an exception', async () => {
  const built = await buildOf(body("return { verdict: 'pass' }"), { manifest: { limits: { memoryPages: 1 } } })
  assert.is(built.ok ? null : built.problems[0]?.path, 'limits.memoryPages')
})

test.run()
