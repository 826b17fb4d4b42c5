import { block, type EvaluateRequest, pass } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bench, rule, subject } from './testing.js'

const message = { name: 'find', arguments: { q: 'x' } }

test('the engine is given what it looked at then, and nobody is told of what comes of it', async () => {
  const seen: EvaluateRequest[] = []
  const { rules, compile, undecided } = bench(
    { deep: (request) => (seen.push(request), { ...block('no'), evidence: { fuel: 7 }, counts: { a: 2 } }) },
    ['deep'],
  )
  const [compiled] = await compile([rule({ engine: 'deep', action: null })])
  assert.ok(compiled)
  const recorded = { n: 1 }
  const { receipt, reason } = await rules.rerunRule({ compiled, leg: 'request', subject: subject(), message, recorded })
  assert.equal([receipt.verdict, receipt.findings, receipt.evidence, reason], ['block', { a: 2 }, { fuel: 7 }, 'no'])
  assert.is(seen[0]?.recorded, recorded)
  assert.is(seen[0]?.message, message)
  assert.equal([seen.length, undecided], [1, []])
})

test('an engine that fails leaves it undecided, and says why', async () => {
  const failing = () => Promise.reject(new Error('out of fuel'))
  const { rules, compile, undecided } = bench({ failing })
  const [compiled] = await compile([rule({ engine: 'failing' })])
  assert.ok(compiled)
  const asked = { compiled, leg: 'request', subject: subject(), message, recorded: {} } as const
  const { receipt, reason } = await rules.rerunRule(asked)
  assert.equal([receipt.verdict, reason, undecided], ['undecided', 'out of fuel', []])
})

test('a live message is never said to be run again', async () => {
  const seen: EvaluateRequest[] = []
  const { request } = bench({ deep: (asked) => (seen.push(asked), pass()) }, ['deep'])
  await request({ q: 'x' }, [rule({ engine: 'deep', action: null })])
  assert.is('recorded' in (seen[0] as object), false)
})

test.run()
