import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseJson } from '../mcp/json.js'
import { type KeptRun, readRuns, runTexts } from './recorded.js'

const run = (facts: Partial<KeptRun> = {}): KeptRun => ({
  receipt: '2.1',
  ruleId: 'rule-1',
  ruleVersion: 3,
  action: null,
  config: { module: 'a@1', config: { maxRows: '5' } },
  artifact: { name: 'a', version: 1, sha256: 'ab' },
  message: null,
  recorded: { kv: { n: '1' } },
  ...facts,
})
const again = (...runs: readonly KeptRun[]) => readRuns(`[${runTexts(runs).join(',')}]`)

test('what was sealed is read as it was: large numbers, torn surrogates, odd keys, the order of keys', () => {
  const message = parseJson(
    '{"b":12345678901234567890,"a":"\\ud800","__proto__":{"x":1},"1":0.1}',
  ) as KeptRun['message']
  const [first, second] = again(run({ message }), run({ receipt: '2.2', action: 'mask' })) ?? []
  assert.is(JSON.stringify(first?.message), JSON.stringify(message))
  assert.equal(second, run({ receipt: '2.2', action: 'mask' }))
})

test('a message that several rules saw is kept once, and read for each', () => {
  const message = { arguments: { q: 'x'.repeat(1_000) } }
  const runs = ['2.1', '2.2', '2.3'].map((receipt) => run({ receipt, message }))
  assert.ok(runTexts(runs).join('').length < 2_000)
  assert.equal(again(...runs), runs)
  const left = runTexts(runs).slice(1)
  assert.equal(readRuns(`[${left.join(',')}]`), [], 'without it, those that saw it are not kept')
})

test('what no version of ours has sealed is not read', () => {
  for (const text of ['', '{}', '[{}]', '[1]', '[{"receipt":"2.1"}]', JSON.stringify([{ ...run(), recorded: [] }])])
    assert.is(readRuns(text), null, text)
  assert.equal(readRuns('[]'), [])
})

test.run()
