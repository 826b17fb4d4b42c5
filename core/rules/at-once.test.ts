import type { Evaluation, EvaluateRequest } from '@gatehouse/sdk'
import { pass } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bench, rule } from './testing.js'

/** An engine whose answers are given by hand, in any order. */
function slowly() {
  const waiting: { readonly text: string; readonly answer: (evaluation: Evaluation) => void }[] = []
  const signals: AbortSignal[] = []
  const evaluate = ({ leaves }: EvaluateRequest, limits?: { readonly parent?: (() => AbortSignal) | undefined }) =>
    new Promise<Evaluation>((answer) => {
      const signal = limits?.parent?.()
      if (signal !== undefined) signals.push(signal)
      waiting.push({ text: leaves[0]?.text ?? '', answer })
    })
  return { waiting, signals, evaluate }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
const found: Evaluation = { verdict: 'findings', findings: [{ type: 'X', leaf: 0, start: 0, end: 1, score: 1 }] }
const looks = (action: 'block' | 'detect', facts = {}) => rule({ engine: 'slow', action, ...facts })

test('rules in a row that only look are asked at once, and judged in their order', async () => {
  const { waiting, evaluate } = slowly()
  const rules = [looks('block'), looks('detect'), rule({ engine: 'slow', action: 'mask', shadow: true })]
  const outcome = bench({ slow: evaluate }).request({ t: 'x' }, rules)
  await settled()
  assert.is(waiting.length, 3)
  for (const { answer } of waiting.toReversed()) answer(found)
  const { receipts, kind } = await outcome
  assert.is(kind, 'blocked')
  assert.equal(
    receipts.map(({ verdict, fell }) => [verdict, fell]),
    [
      ['block', null],
      ['undecided', null],
      ['undecided', null],
    ],
  )
})

test('a block gives up those behind it: their engines hear of it, and nobody is alerted', async () => {
  const { waiting, signals, evaluate } = slowly()
  const outcome = bench({ slow: evaluate }).request({ t: 'x' }, [looks('block'), looks('detect', { alerts: true })])
  await settled()
  assert.equal(
    signals.map(({ aborted }) => aborted),
    [false, false],
  )
  waiting[0]?.answer(found)
  const { alerts, receipts } = await outcome
  assert.equal(alerts, [])
  assert.is(receipts.length, 2)
  assert.ok(signals[1]?.aborted)
})

test('a later rule that answers first does not overtake', async () => {
  const { waiting, evaluate } = slowly()
  const first = looks('block')
  const outcome = bench({ slow: evaluate }).request({ t: 'x' }, [first, looks('block')])
  await settled()
  waiting[1]?.answer(found)
  await settled()
  waiting[0]?.answer(found)
  const ended = await outcome
  assert.is(ended.kind === 'blocked' && ended.blockedBy.id, first.id)
})

test('a rule that may change the message waits for those before it, and those behind it wait for it', async () => {
  const { waiting, evaluate } = slowly()
  const rules = [looks('detect'), rule({ engine: 'slow', action: 'mask' }), looks('detect')]
  const outcome = bench({ slow: evaluate }).request({ t: 'x' }, rules)
  for (const answer of [pass(), found, pass()]) {
    await settled()
    assert.is(waiting.length, 1)
    waiting.pop()?.answer(answer)
  }
  const ended = await outcome
  assert.equal(ended.kind === 'changed' && ended.message['arguments'], { t: '*' })
})

test('a rule that remembers is asked when those before it have let the message through, alone or in a row', async () => {
  for (const chaining of [[], ['slow']]) {
    const { waiting, evaluate } = slowly()
    const first: ((evaluation: Evaluation) => void)[] = []
    const other = () => new Promise<Evaluation>((answer) => void first.push(answer))
    const rules = [
      rule({ engine: 'other', action: 'block' }),
      looks('block'),
      looks('block', { config: { remembers: true } }),
    ]
    const outcome = bench({ slow: evaluate, other }, [], { chaining }).request({ t: 'x' }, rules)
    await settled()
    assert.is(waiting.length, 1, 'one that only looks is asked meanwhile')
    waiting[0]?.answer(pass())
    first[0]?.(found)
    const { kind, receipts } = await outcome
    assert.equal([kind, receipts.length, waiting.length], ['blocked', 2, 1])
  }
})

test('no more than sixteen are asked at once', async () => {
  const { waiting, evaluate } = slowly()
  const outcome = bench({ slow: evaluate }).request(
    { t: 'x' },
    Array.from({ length: 20 }, () => looks('detect')),
  )
  await settled()
  assert.is(waiting.length, 16)
  for (const { answer } of waiting.splice(0)) answer(pass())
  await settled()
  assert.is(waiting.length, 4)
  for (const { answer } of waiting.splice(0)) answer(pass())
  assert.is((await outcome).receipts.length, 20)
})

test('a failure in a row is decided by its own rule', async () => {
  const failing = { slow: async () => Promise.reject(new Error('no')) }
  const open = await bench(failing).request({ t: 'x' }, [looks('block', { onFailure: 'allow' }), looks('detect')])
  assert.equal([open.kind, ...open.receipts.map(({ fell }) => fell)], ['blocked', 'open', 'closed'])
})

test('findings of several engines on the same text each stand in their receipt, and changes are chained', async () => {
  const at = (type: string, start: number, end: number) => async () =>
    ({ verdict: 'findings', findings: [{ type, leaf: 0, start, end, score: 1 }] }) as Evaluation
  const engines = { one: at('A', 0, 5), two: at('B', 3, 8) }
  const rules = [
    rule({ engine: 'one', action: 'detect' }),
    rule({ engine: 'two', action: 'detect' }),
    rule({ engine: 'one', action: 'mask' }),
    rule({ engine: 'two', action: 'mask' }),
  ]
  const outcome = await bench(engines).request({ t: 'abcdefghij' }, rules)
  assert.equal(outcome.kind === 'changed' && outcome.message['arguments'], { t: '********ij' })
  assert.equal(
    outcome.receipts.map(({ findings }) => findings),
    [{ A: 1 }, { B: 1 }, { A: 1 }, { B: 1 }],
  )
})

test('a span that cuts a character in two takes it whole, in plain texts and in JSON', async () => {
  const cut = {
    cut: ({ leaves }: EvaluateRequest): Evaluation => {
      const start = (leaves[0]?.text ?? '').search(/[\ud800-\udbff]/) + 1
      return { verdict: 'findings', findings: [{ type: 'X', leaf: 0, start, end: start + 1, score: 1 }] }
    },
  }
  const left = async (t: string) => {
    const outcome = await bench(cut).request({ t }, [rule({ engine: 'cut', action: 'redact' })])
    return outcome.kind === 'changed' ? (outcome.message['arguments'] as { t: string }).t : t
  }
  assert.is(await left('a😀b'), 'ab')
  assert.is(await left('{"a":"x😀y"}'), '{"a":"xy"}')
})

test.run()
