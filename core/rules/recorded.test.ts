import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseJson } from '../mcp/json.js'
import { type KeptRun, readRuns, runText } from './recorded.js'

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
const again = (...runs: readonly KeptRun[]) => readRuns(`[${runs.map(runText).join(',')}]`)

test('what was sealed is read as it was: large numbers, torn surrogates, odd keys, the order of keys', () => {
  const message = parseJson(
    '{"b":12345678901234567890,"a":"\\ud800","__proto__":{"x":1},"1":0.1}',
  ) as KeptRun['message']
  const [first, second] = again(run({ message }), run({ receipt: '2.2', action: 'mask' })) ?? []
  assert.is(JSON.stringify(first?.message), JSON.stringify(message))
  assert.equal(second, run({ receipt: '2.2', action: 'mask' }))
})

test('what no version of ours has sealed is not read', () => {
  for (const text of ['', '{}', '[{}]', '[1]', '[{"receipt":"2.1"}]', JSON.stringify([{ ...run(), recorded: [] }])])
    assert.is(readRuns(text), null, text)
  assert.equal(readRuns('[]'), [])
})

test.run()
