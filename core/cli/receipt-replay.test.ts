import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Rerun } from '../domain/rerun.js'
import { runCommand } from './program.js'
import { writeRerun } from './receipt-replay.js'

const SHA256 = 'ab'.repeat(32)
const rerun = (facts: object = {}): Rerun & { readonly kept: true } => ({
  receipt: {
    receipt_id: 'm-2.1',
    rule_id: 'r',
    rule_version: 3,
    rule_name: 'No bulk reads',
    engine: 'wasm',
    hook: 'request',
    verdict: 'block',
    action: null,
    shadow: false,
    findings: {},
    fell: null,
    ms: 1,
  },
  kept: true,
  config: 'recorded',
  was: { verdict: 'block', findings: { rows: 1 }, evidence: { fuel: 812, sha256: SHA256 } },
  now: { verdict: 'pass', findings: {}, evidence: { fuel: 90, sha256: SHA256 }, reason: null },
  identical: false,
  differences: ['verdict', 'findings.rows', 'evidence.fuel'],
  ...facts,
})

test('both are shown side by side, and what differs is named', () => {
  assert.is(
    writeRerun(rerun()),
    [
      'No bulk reads, version 3 (wasm, request), as it was then.',
      `                 then${' '.repeat(60)}  now`,
      `verdict          block${' '.repeat(59)}  pass`,
      `findings.rows    1${' '.repeat(63)}  -`,
      `evidence.fuel    812${' '.repeat(61)}  90`,
      `evidence.sha256  ${SHA256}  the same`,
      'differs: verdict, findings.rows, evidence.fuel',
      '',
    ].join('\n'),
  )
})

test('words of others cannot repaint a terminal, nor make lines', () => {
  const now = { verdict: 'block', findings: { 'a\nidentical': 1 }, evidence: null, reason: '\u001b[2Jx' }
  const told = writeRerun(rerun({ now }))
  assert.not.match(told, /\u001b|^identical$/m)
})

async function codeOf(...args: readonly string[]): Promise<readonly [number, string]> {
  let err = ''
  const code = await runCommand({
    argv: ['rules', 'replay', ...args],
    env: {},
    cwd: '/nowhere',
    version: '0',
    nodeVersion: '20',
    out: () => undefined,
    err: (text) => void (err += text),
    signal: new AbortController().signal,
    start: async () => undefined,
  })
  return [code, err]
}

test('the command is used one way or the other', async () => {
  for (const more of [
    ['--rule', 'a'],
    ['--since', '1h'],
    ['--until', '1h'],
    ['--gateway', 'g'],
    ['--max', '3'],
  ])
    assert.equal(await codeOf('--receipt', 'x', ...more).then(([code]) => code), 2, more.join(' '))
  for (const args of [[], ['--rule', 'a'], ['--since', '1h']]) {
    const [code, err] = await codeOf(...args)
    assert.equal([code, /--rule and --since.*or --receipt/.test(err)], [2, true], err)
  }
})

test.run()
