import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  assemble,
  exportFunction,
  exportGlobal,
  FUNCREF,
  I32,
  I64,
  importFunction,
  type,
  single,
  text,
} from './assemble.fixture.js'
import { defaultPolicy, type Policy, vet } from './index.js'

const policy: Policy = {
  ...defaultPolicy,
  entryPoints: ['run'],
  imports: [{ module: 'host', name: 'log', params: ['i64'], results: [] }],
}

function problemsOf(bytes: Uint8Array, changed: Partial<Policy> = {}): string {
  const vetted = vet(bytes, { ...policy, ...changed })
  return vetted.ok ? 'none' : vetted.problems.map(({ message }) => message).join('\n')
}

/** A module that imports one thing. */
const importing = (entry: readonly number[], types = [type([I64], []), type([], [])]) =>
  assemble({ types, imports: [entry], functions: [1], exports: [exportFunction('run', 0)], code: [[]] })
const other = (module: string, name: string, ...what: readonly number[]) => [...text(module), ...text(name), ...what]
const constant = [[I32, 0, 0x41, 1, 0x0b]]

test('tells the facts of a module that may run', () => {
  const bytes = assemble({
    types: [type([I64], []), type([], [])],
    imports: [importFunction('host', 'log', 0)],
    functions: [1],
    tables: [[FUNCREF, 1, 1, 5]],
    memories: [[0, 2]],
    globals: constant,
    exports: [exportFunction('run', 1), exportGlobal('gatehouse_rule_abi_1', 0)],
    start: 1,
    code: [[]],
  })
  assert.equal(vet(bytes, policy), {
    ok: true,
    facts: {
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      imports: [{ module: 'host', name: 'log' }],
      exports: [
        { name: 'run', kind: 'function', type: { params: [], results: [] } },
        { name: 'gatehouse_rule_abi_1', kind: 'global' },
      ],
      abi: [1],
      memory: { initial: 2, maximum: 64 },
      tables: [{ initial: 1, maximum: 5 }],
      functions: 1,
      start: true,
      simd: false,
      data: { start: 0, end: 0 },
    },
  })
})

const refused: readonly (readonly [law: string, bytes: Uint8Array, words: RegExp, changed?: Partial<Policy>])[] = [
  ['more bytes than allowed', new Uint8Array(100), /100 bytes, more than 99/, { moduleBytes: 99 }],
  ['an unknown import', importing(importFunction('host', 'exec', 0)), /"host" "exec", which is not offered/],
  ['the module of one import with the name of another', importing(importFunction('log', 'host', 0)), /not offered/],
  ['an import of another type', importing(importFunction('host', 'log', 1)), /another type than \(i64\) -> \(\)/],
  ['WASI', importing(importFunction('wasi_snapshot_preview1', 'proc_exit', 0)), /not offered/],
  ['an imported memory', importing(other('host', 'log', 2, 0, 1)), /imports a memory/],
  ['an imported table', importing(other('host', 'log', 1, FUNCREF, 0, 1)), /imports a table/],
  ['an imported global', importing(other('host', 'log', 3, I32, 0)), /imports a global/],
  [
    'an import that hands out functions',
    importing(importFunction('host', 'log', 0), [type([], [FUNCREF]), type([], [])]),
    /references/,
  ],
  ...['__proto__', 'constructor', 'toString', 'prototype'].map(
    (name): readonly [string, Uint8Array, RegExp, Partial<Policy>] => [
      `an import called ${name}, even where it is offered`,
      importing(importFunction('host', name, 0)),
      /not offered/,
      { imports: [{ module: 'host', name, params: ['i64'], results: [] }] },
    ],
  ),
  [
    'an export called __proto__',
    single([], { exports: [exportFunction('run', 0), exportFunction('__proto__', 0)] }),
    /a name of every object/,
  ],
  [
    'an export that shadows the fuel',
    single([], { exports: [exportFunction('run', 0), exportFunction('gatehouse_fuel', 0)] }),
    /reserved/,
  ],
  ['a missing entry point', single([], { exports: [] }), /exports no function "run"/],
  [
    'an entry point that is no function',
    assemble({ globals: constant, exports: [exportGlobal('run', 0)] }),
    /exports no function "run"/,
  ],
  [
    'an ABI that can be written to',
    single([], {
      globals: [[I32, 1, 0x41, 1, 0x0b]],
      exports: [exportFunction('run', 0), exportGlobal('gatehouse_rule_abi_1', 0)],
    }),
    /no function or constant/,
  ],
  ['a memory over the cap', single([], { memories: [[0, 65]] }), /65 pages, more than 64/],
  ['a table over the cap', single([], { tables: [[FUNCREF, 0, 0x91, 0x4e]] }), /10001 elements, more than 10000/],
  ['a start function where none is allowed', single([], { start: 0 }), /start function/, { start: false }],
  ['SIMD where it is not allowed', single([0xfd, 12, ...Array<number>(16).fill(0), 0x1a]), /SIMD/, { simd: false }],
  ['code of wrong types', single([0x6a]), /not valid WebAssembly/],
]

for (const [law, bytes, words, changed] of refused) {
  test(`refuses ${law}`, () => assert.match(problemsOf(bytes, changed), words))
}

test('takes what is refused there as soon as the policy allows it', () => {
  assert.is(problemsOf(single([], { start: 0 })), 'none')
  assert.is(problemsOf(single([0xfd, 12, ...Array<number>(16).fill(0), 0x1a])), 'none')
  assert.is(problemsOf(single([], { memories: [[0, 65]] }), { memoryPages: 65 }), 'none')
  assert.is(problemsOf(importing(importFunction('host', 'log', 0))), 'none')
})

test('tells all problems at once, with their places', () => {
  const bytes = assemble({
    types: [type([], [])],
    imports: [importFunction('env', 'abort', 0), other('env', 'memory', 2, 0, 1)],
    exports: [exportFunction('gatehouse_fuel', 0)],
  })
  const vetted = vet(bytes, policy)
  assert.not(vetted.ok)
  if (vetted.ok) return
  assert.is(vetted.problems.length, 4)
  assert.ok(vetted.problems.filter(({ offset }) => offset !== undefined && offset < bytes.length).length >= 3)
})

test('quotes names so that they cannot disturb a log', () => {
  const words = problemsOf(importing(importFunction('host', `\u001b[31m\n\u202e${'x'.repeat(1_000)}`, 0)))
  assert.ok(words.length < 200)
  assert.not.match(words, /[\u0000-\u001f\u007f-\u009f\u202e]/)
})

test('refuses a module of 50 MB without reading it', () => {
  const started = performance.now()
  assert.match(problemsOf(new Uint8Array(50_000_000)), /more than 1048576/)
  assert.ok(performance.now() - started < 100)
})

test.run()
