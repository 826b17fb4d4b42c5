import type { Evaluation, Leaf } from '@gatehouse/sdk'
import { startPlugin } from '@gatehouse/sdk/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from './engine.js'
import plugin from './index.js'
import { createPool } from './pool.js'

const pool = createPool(1)
const engine = createEngine({ pool, workerDeadlineMs: 20_000 })
test.after(() => pool.stop())

const leaf = (text: string, kind: Leaf['kind'] = 'value'): Leaf => ({ kind, text })
function state(config: Readonly<Record<string, unknown>>, own = engine) {
  const prepared = own.prepare({ config, action: 'mask' })
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors))
  return prepared.state
}
const evaluate = (config: Readonly<Record<string, unknown>>, ...leaves: readonly Leaf[]) =>
  engine.evaluate({ state: state(config), leaves })
const places = (evaluation: Evaluation) =>
  evaluation.verdict === 'findings'
    ? evaluation.findings.map(({ type, leaf: index, start, end }) => [type, index, start, end])
    : evaluation.verdict

test('patterns are answered at once, without a worker', () => {
  const config = { entities: ['EMAIL_ADDRESS'] }
  const answer = evaluate(config, leaf('nothing'), leaf('to ana@example.com')) as Evaluation
  assert.equal(places(answer), [['EMAIL_ADDRESS', 1, 3, 18]])
  assert.is(places(evaluate(config, leaf('nothing')) as Evaluation), 'pass')
})

test('names come from the worker and patterns beside them; names only of values', async () => {
  const leaves = [leaf('My name is Robert Miller, ana@example.com'), leaf('Robert Miller', 'key')]
  const found = places(await evaluate({ entities: ['EMAIL_ADDRESS', 'PERSON'] }, ...leaves))
  assert.equal(found, [
    ['EMAIL_ADDRESS', 0, 26, 41],
    ['PERSON', 0, 11, 24],
  ])
})

test('a long message is left to the worker, and places are those of the message', async () => {
  const long = `${'word '.repeat(4_000)}ana@example.com`
  const answer = evaluate({ entities: ['EMAIL_ADDRESS'] }, leaf('bob@example.com', 'key'), leaf(long))
  assert.instance(answer, Promise)
  const found = places(await answer) as readonly unknown[]
  assert.equal(
    new Set(found),
    new Set([
      ['EMAIL_ADDRESS', 1, 20_000, 20_015],
      ['EMAIL_ADDRESS', 0, 0, 15],
    ]),
  )
})

test('no entity named is all of them', async () => {
  const found = places(await evaluate({}, leaf('Robert Miller, 4111 1111 1111 1111')))
  assert.equal(new Set((found as unknown[][]).map(([type]) => type)), new Set(['PERSON', 'CREDIT_CARD']))
})

test('a worker that is late leaves the rule undecided, and the next message is answered', async () => {
  const slow = createPool(1)
  const hasty = createEngine({ pool: slow, workerDeadlineMs: 1 })
  const long = leaf('Robert Miller of Chicago met Ana Silva. '.repeat(400))
  const late = await hasty.evaluate({ state: state({ entities: ['PERSON'] }, hasty), leaves: [long] })
  assert.is(late.verdict, 'undecided')
  const patient = createEngine({ pool: slow, workerDeadlineMs: 20_000 })
  const next = await patient.evaluate({
    state: state({ entities: ['PERSON'] }, patient),
    leaves: [leaf('Robert Miller')],
  })
  assert.is(next.verdict, 'findings')
  await slow.stop()
  const stopped = await patient.evaluate({ state: state({ entities: ['PERSON'] }, patient), leaves: [leaf('Ana')] })
  assert.is(stopped.verdict, 'undecided')
})

test('a configuration is refused with the place of its fault', () => {
  const path = (config: Readonly<Record<string, unknown>>) => {
    const prepared = engine.prepare({ config, action: 'mask' })
    return prepared.ok ? null : prepared.errors[0]?.path
  }
  assert.is(path({ entities: ['SHOE_SIZE'] }), 'entities.0')
  assert.is(path({ threshold: 2 }), 'threshold')
  assert.is(path({ context: [''] }), 'context.0')
  assert.is(path({ entitys: [] }), '')
  assert.is(path({}), null)
  const prepared = engine.prepare({ config: {}, action: null })
  assert.is(prepared.ok ? null : prepared.errors[0]?.path, 'action')
})

test('the plugin serves every hook of an engine, tries a text, and stops', async () => {
  const host = await startPlugin(plugin)
  assert.equal(host.keys, ['engine.prepare/pii', 'engine.evaluate/pii', 'engine.test/pii', 'engine.retire/pii'])
  const request = { config: { entities: ['US_SSN'] }, action: 'mask', instance: null, leg: 'response' } as const
  const tried = await host.askKeyed('engine.test', 'pii', { ...request, text: 'ssn 536-22-8726' })
  assert.equal(tried.ok && places(tried.evaluation), [['US_SSN', 0, 4, 15]])
  await host.stop()
})

test.run()
