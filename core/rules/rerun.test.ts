import { block, type EvaluateRequest, pass, undecided } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTallies } from './tallies.js'
import { bench, rule, subject } from './testing.js'

const message = { name: 'find', arguments: { q: 'x' } }

test('the engine is given what it looked at then, and nobody is told of what comes of it', async () => {
  const seen: EvaluateRequest[] = []
  const {
    rules,
    compile,
    undecided: told,
  } = bench({ deep: (request) => (seen.push(request), { ...block('no'), evidence: { fuel: 7 }, counts: { a: 2 } }) }, [
    'deep',
  ])
  const [compiled] = await compile([rule({ engine: 'deep', action: null })])
  assert.ok(compiled)
  const recorded = { n: 1 }
  const { receipt, reason } = await rules.rerunRule({ compiled, leg: 'request', subject: subject(), message, recorded })
  assert.equal([receipt.verdict, receipt.findings, receipt.evidence, reason], ['block', { a: 2 }, { fuel: 7 }, 'no'])
  assert.is(seen[0]?.recorded, recorded)
  assert.is(seen[0]?.message, message)
  assert.equal([seen.length, told], [1, []])
})

test('an engine that fails leaves it undecided, and says why', async () => {
  const failing = () => Promise.reject(new Error('out of fuel'))
  const { rules, compile, undecided: told } = bench({ failing })
  const [compiled] = await compile([rule({ engine: 'failing' })])
  assert.ok(compiled)
  const asked = { compiled, leg: 'request', subject: subject(), message, recorded: {} } as const
  const { receipt, reason } = await rules.rerunRule(asked)
  assert.equal([receipt.verdict, reason, told], ['undecided', 'out of fuel', []])
})

test('a live message is never said to be run again', async () => {
  const seen: EvaluateRequest[] = []
  const { request } = bench({ deep: (asked) => (seen.push(asked), pass()) }, ['deep'])
  await request({ q: 'x' }, [rule({ engine: 'deep', action: null })])
  assert.is('recorded' in (seen[0] as object), false)
})

test('an engine that chains is asked for one rule, with what core would do to its findings', async () => {
  const seen: EvaluateRequest[] = []
  const { rules, compile } = bench({ row: (asked) => (seen.push(asked), pass()) }, [], { chaining: ['row'] })
  const [, compiled] = await compile([
    rule({ engine: 'row' }),
    rule({ id: 'b', engine: 'row', action: 'hash', shadow: true }),
  ])
  assert.ok(compiled)
  await rules.rerunRule({ compiled, leg: 'response', subject: subject(), message: { content: [] }, recorded: { n: 1 } })
  const links = seen[0]?.chain?.map(({ rule: { id }, action, shadow }) => [id, action, shadow])
  assert.equal([links, seen[0]?.recorded, seen.length], [[['b', 'hash', true]], { n: 1 }, 1])
})

test('faults of a verdict that is run again are no strikes, and it stands in no statistics', async () => {
  const tallies = createTallies()
  const quarantined: unknown[] = []
  const late = () => ({ ...undecided('late'), strike: 'late' })
  const onQuarantined = (...told: unknown[]) => void quarantined.push(told)
  const { rules, compile } = bench({ deep: late }, ['deep'], { tallies, onQuarantined })
  const [compiled] = await compile([rule({ engine: 'deep', action: null })])
  assert.ok(compiled)
  for (let n = 0; n < 5; n += 1)
    await rules.rerunRule({ compiled, leg: 'request', subject: subject(), message, recorded: {} })
  assert.equal([quarantined, compiled.watch.strikes, tallies.take()], [[], [], []])
  for (let n = 0; n < 5; n += 1) await rules.inspectRequest([compiled], subject(), message)
  assert.equal([quarantined.length, tallies.take().length], [1, 1], 'live ones do')
})

test.run()
