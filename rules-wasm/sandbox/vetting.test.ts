import { RULE_ABI, RuleManifest, type RuleGrants } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { settleLimits } from './limits.js'
import { assemble, build, PASS, problemsOf, wat } from './rule.fixture.js'

const importing = (entry: string): string =>
  wat({ body: PASS, ...(entry.includes('(memory') && { memory: '' }) }).replace('(module', `(module (import ${entry})`)

test('takes a module by the contract, and tells what it is', async () => {
  const { facts, limits, sha256, wasiStub } = await build(wat({ body: PASS }))
  assert.equal(facts['imports'], ['extism:host/user output_write'])
  assert.equal(facts['exports'], ['memory', 'gatehouse_rule_abi_1', 'evaluate'])
  assert.is(facts['mostMemoryPages'], 64)
  assert.ok(Number(facts['meteredBytes']) > Number(facts['bytes']))
  assert.is(sha256.length, 64)
  assert.not(wasiStub)
  assert.is(limits.fuel, 20_000_000)
})

const refused: readonly (readonly [what: string, entry: string, told: RegExp])[] = [
  ['an unknown function', '"extism:host/user" "open_door" (func)', /not offered; import of extism:host\/env and/],
  ['a function of another module', '"somewhere" "log" (func)', /not offered/],
  ['a function with another type', '"extism:host/env" "alloc" (func (param i32) (result i32))', /another type/],
  ['WASI', '"wasi_snapshot_preview1" "fd_write" (func)', /not offered; the manifest must say "wasiStub": true/],
  ['a memory', '"env" "memory" (memory 1)', /imports a memory/],
  ['a table', '"env" "table" (table 1 funcref)', /imports a table/],
  ['a global', '"env" "g" (global i32)', /imports a global/],
  ['an abort of the environment', '"env" "abort" (func (param i32 i32 i32 i32))', /an abort of your own/],
  [
    "Extism's HTTP",
    '"extism:host/env" "http_request" (func (param i64 i64) (result i64))',
    /a rule reaches no network/,
  ],
  ["Extism's variables", '"extism:host/env" "var_set" (func (param i64 i64))', /kv_get and kv_set/],
  ['a name of every object', '"extism:host/env" "constructor" (func)', /not offered/],
  ['a module named like what every object has', '"__proto__" "alloc" (func)', /not offered/],
  [
    'the store without the capability',
    '"extism:host/user" "kv_delete" (func (param i32 i32))',
    /"capabilities" must have "kv"/,
  ],
  [
    "Extism's configuration without the capability",
    '"extism:host/env" "config_get" (func (param i64) (result i64))',
    /must have "config"/,
  ],
  ["Extism's log without the capability", '"extism:host/env" "log_info" (func (param i64))', /must have "log"/],
  ['another module of its own', '"main" "evaluate" (func (result i32))', /not offered/],
]

for (const [what, entry, told] of refused) {
  test(`refuses ${what} among the imports`, async () => assert.match(await problemsOf(importing(entry)), told))
}

test('refuses a module that exports the fuel itself, or anything named like it', async () => {
  for (const name of ['gatehouse_fuel', 'gatehouse_fuel_low', 'gatehouse_fuel_variable_0'])
    assert.match(
      await problemsOf(wat({ body: PASS, parts: `(global (export "${name}") (mut i64) (i64.const 9))` })),
      /reserved/,
    )
})

test('asks for the parts of the contract', async () => {
  const bare = (text: string) => problemsOf(text, {})
  assert.match(await bare('(module (memory 1))'), /exports no function "evaluate"/)
  assert.match(await bare('(module (memory 1))'), /gatehouse_rule_abi_1/)
  assert.match(await bare('(module (func (export "evaluate") (result i32) (i32.const 0)))'), /exports no memory/)
  const typed = (type: string, body = '') =>
    bare(
      `(module (memory (export "memory") 1) (global (export "gatehouse_rule_abi_1") i32 (i32.const 1)) (func (export "evaluate") ${type} ${body}))`,
    )
  assert.match(await typed('(param i32) (result i32)', '(i32.const 0)'), /no function "evaluate" of the type/)
  assert.match(await typed(''), /"evaluate"/)
  assert.match(await typed('(result i64)', '(i64.const 0)'), /"evaluate"/)
  assert.is(await typed('(result i32)', '(i32.const 0)'), 'none')
})

test('refuses a memory or table larger than allowed, with what to do', async () => {
  assert.match(
    await problemsOf(wat({ body: PASS, memory: '(memory (export "memory") 65)' })),
    /65 pages, more than 64.*"memoryPages"/,
  )
  assert.is(
    await problemsOf(wat({ body: PASS, memory: '(memory (export "memory") 65)' }), { grants: { memoryPages: 65 } }),
    'none',
  )
  assert.match(await problemsOf(wat({ body: PASS, parts: '(table 10001 funcref)' })), /10001 elements/)
})

test('holds the manifest to its module', async () => {
  const bytes = assemble(wat({ body: PASS }))
  assert.match(await problemsOf(bytes, { manifest: { sha256: '0'.repeat(64) } }), /^sha256 is not the SHA-256/)
  assert.match(await problemsOf(bytes, { manifest: { capabilities: ['kv'] } }), /^stateful must be true/)
  assert.match(await problemsOf(bytes, { manifest: { wasiStub: true } }), /^wasiStub must be granted/)
  assert.match(
    await problemsOf(bytes, { manifest: { patterns: { p: '(?=a)' } } }),
    /^patterns\.p is no regular expression/,
  )
  assert.match(await problemsOf(bytes, { manifest: { config: { c: { pattern: '(' } } } }), /^config\.c\.pattern is no/)
})

test('gives the least of manifest, ceilings and limits', async () => {
  const text = wat({ body: PASS })
  const limitsOf = async (manifest: object, ceilings: object, grants = {}) =>
    (await build(text, { manifest: { limits: manifest }, ceilings, grants })).limits
  assert.is((await limitsOf({ fuel: 5 }, { fuel: 9 })).fuel, 5)
  assert.is((await limitsOf({ fuel: 9 }, { fuel: 5 })).fuel, 5)
  assert.is((await limitsOf({}, { killMs: 10_000 })).killMs, 250)
  assert.is((await limitsOf({ killMs: 20 }, {})).deadlineMs, 20)
  assert.is((await limitsOf({ memoryPages: 100 }, {})).memoryPages, 64)
  assert.is((await limitsOf({ memoryPages: 100 }, {}, { memoryPages: 200 })).memoryPages, 100)
  assert.is((await limitsOf({}, { memoryPages: 32 }, { memoryPages: 200 })).memoryPages, 32)
  assert.is((await limitsOf({}, {}, { moduleBytes: 2_000_000 })).moduleBytes, 2_000_000)
})

test('a built module can be posted to another thread', async () => {
  const module = await build(wat({ body: PASS }))
  const copy = structuredClone({ ...module, code: null })
  assert.equal(copy, { ...module, code: null })
})

const UPLOADED = { name: 'rule', version: '1', abi: RULE_ABI, sha256: 'a'.repeat(64) }

test('what a manifest asks for above the limits of all rules is given by grant alone', () => {
  const manifest = RuleManifest.parse({ ...UPLOADED, limits: { fuel: 400_000_000, memoryPages: 128 } })
  const of = (grants: RuleGrants, ceilings = {}) => {
    const { fuel, memoryPages } = settleLimits({ manifest, grants, ceilings })
    return [fuel, memoryPages]
  }
  assert.equal(of({}), [20_000_000, 64])
  assert.equal(of({ fuel: 100_000_000, memoryPages: 100 }), [100_000_000, 100])
  assert.equal(of({ fuel: 500_000_000, memoryPages: 1_024 }), [400_000_000, 128])
  assert.equal(of({ fuel: 500_000_000 }, { fuel: 1_000 }), [1_000, 64])
})

test.run()
