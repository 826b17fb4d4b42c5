import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Rerun } from '../domain/rerun.js'
import { writeRerun } from './receipt-replay.js'

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
  was: { verdict: 'block', findings: { rows: 1 }, evidence: { fuel: 812 } },
  now: { verdict: 'pass', findings: {}, evidence: { fuel: 90 }, reason: null },
  identical: false,
  differences: ['verdict', 'findings.rows', 'evidence.fuel'],
  ...facts,
})

test('both are shown side by side, and what differs is named', () => {
  assert.is(
    writeRerun(rerun()),
    [
      'No bulk reads, version 3 (wasm, request), as it was then.',
      '               then   now',
      'verdict        block  pass',
      'findings.rows  1      -',
      'evidence.fuel  812    90',
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

test.run()
