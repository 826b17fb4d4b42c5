import { HOOKS, type HookName } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { QUICK } from './quick.js'

const HASH = 'a'.repeat(64)
const PASS = { verdict: 'pass' }
const MANY = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, n]))
const ANSWERS: unknown[] = [
  { kind: 'notMine' },
  { kind: 'token', hash: HASH },
  { kind: 'token', hash: `${HASH}\n` },
  { kind: 'token', hash: HASH.toUpperCase() },
  { kind: 'token' },
  { kind: 'token', hash: [HASH] },
  { verdict: 'findings', findings: [] },
  { verdict: 'findings', findings: [{}] },
  { verdict: 'findings', findings: {} },
  { verdict: 'pass' },
  { verdict: 'block', reason: 'no' },
  { verdict: 'block' },
  { verdict: 'undecided', message: 'late' },
  { verdict: 'undecided', reason: 'late' },
  { verdict: 'modify', patch: { message: {} } },
  { verdict: 'pass', of: 'nobody’s business' },
  ...[{ a: 1 }, { a: 0 }, { a: 1.5 }, { a: '1' }, [], null, undefined, new Map()].map((counts) => ({
    ...PASS,
    counts,
  })),
  ...[
    { a: 1, b: 'x' },
    { a: 'x'.repeat(201) },
    { ['k'.repeat(65)]: 1 },
    { a: Number.NaN },
    { a: null },
    [],
    undefined,
    MANY,
  ].map((evidence) => ({ ...PASS, evidence })),
  ...[{ a: { b: [] } }, [], 'x', null, undefined].map((recorded) => ({ ...PASS, recorded })),
  ...['fuel: none left', 'x'.repeat(501), 1, undefined].map((strike) => ({ ...PASS, strike })),
  ...[0, 0.5, -1, Number.NaN, Infinity, '1', undefined].map((ms) => ({ ...PASS, ms })),
  ...[[], [PASS], [PASS, {}], [{ ...PASS, ms: -1 }], [{ ...PASS, rest: [PASS] }], {}, undefined].map((rest) => ({
    ...PASS,
    rest,
  })),
  { verdict: 'findings', findings: [], rest: [{ verdict: 'findings', findings: [{}] }] },
  null,
  undefined,
  'notMine',
  [],
]

for (const hook of Object.keys(QUICK) as HookName[]) {
  test(`nothing passes ${hook} quickly that its schema refuses`, () => {
    const quick = ANSWERS.filter((answer) => QUICK[hook]?.(answer))
    assert.ok(quick.length > 0)
    for (const answer of quick) assert.ok(HOOKS[hook].answer.safeParse(answer).success, JSON.stringify(answer))
  })
}

test.run()
