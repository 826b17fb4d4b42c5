import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ReplayReport, Sample } from '../domain/replay.js'
import { createProgress } from './replay-progress.js'
import { writeReplay } from './replay-report.js'

const at = (read: number, total: number | null) => ({ state: 'running' as const, progress: { read, total } })

test('on a terminal a bar repaints itself and is gone at the end', () => {
  const said: string[] = []
  const progress = createProgress({ width: 60, err: (text) => void said.push(text) })
  for (const state of [at(0, null), at(25, 100), at(25, 100), at(100, 100)]) progress.show(state)
  progress.end()
  assert.equal(said, [
    '\rCounting messages…\u001b[K',
    '\r[######------------------] 25 %  25 of 100 messages\u001b[K',
    '\r[########################] 100 %  100 of 100 messages\u001b[K',
    '\r\u001b[K',
  ])
})

test('it fits a narrow terminal', () => {
  const said: string[] = []
  createProgress({ width: 20, err: (text) => void said.push(text) }).show(at(1, 2))
  assert.is(said[0]?.length, 1 + 19 + 3)
})

test('elsewhere a line is written now and then', () => {
  const said: string[] = []
  const progress = createProgress({ err: (text) => void said.push(text) })
  for (let read = 0; read <= 1_000; read += 1) progress.show(at(read, 1_000))
  progress.end()
  assert.is(said.length, 11)
  assert.is(said[5], '500 of 1000 messages read\n')
})

const counts = { pass: 1, block: 2, modify: 0, detect: 0, undecided: 0 }
const report: ReplayReport = {
  messages: 9,
  covered: 4,
  inputs: { original: 2, redacted: 1 },
  notKept: { blocked: 3 },
  outcomes: counts,
  rules: [{ name: 'No keys', engine: 'regex', counts, findings: { 'AKIA\\d+': 2 }, ms: 1 }],
  features: [{ server: 'crm', kind: 'tool', feature: 'find', counts }],
  users: 2,
  stoppedBy: 'time',
  durationMs: 1_500,
}
const sample: Sample = {
  correlationId: 'c-1',
  at: '2026-01-01T00:00:00.000Z',
  leg: 'request',
  server: 'crm',
  feature: 'find',
  rule: 'No keys',
  verdict: 'block',
  input: 'original',
  before: 'key \u001b[31mAKIA1',
  after: null,
}

test('a report says what was seen, what was not kept and why it ended, and repaints no terminal', () => {
  const text = writeReplay({
    ...{ id: 'r', state: 'done', reason: null, gateway: 'main', since: 'a', until: 'b' },
    ...{ progress: { read: 9, total: 9 }, report, samples: [sample] },
  })
  for (const part of [
    '9 messages of main',
    'blocked 2',
    'AKIA\\d+',
    '3  blocked by a rule then',
    'settings.limits.replayTime',
  ])
    assert.match(text, part)
  assert.match(text, 'key \\u001b[31mAKIA1')
  assert.not.match(text, '\u001b')
})

test.run()
