import type { EvaluateRequest, Evaluation, Json, JsonObject } from '@gatehouse/sdk'
import { block, modify, pass, undecided } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Rule } from '../domain/nouns.js'
import type { Outcome } from './chain.js'
import { bench, rule, subject } from './testing.js'

type Link = (message: JsonObject, request: EvaluateRequest) => Evaluation

/** An engine that answers a chain as its rules say, each on what it believes that the former left. */
function chaining(links: Readonly<Record<string, Link>>, { isSlow = false, most = 99 } = {}) {
  const asked: (readonly string[])[] = []
  const answerOf = (request: EvaluateRequest): Evaluation => {
    const chain = request.chain ?? []
    const names = chain.map(({ state }) => String(state))
    asked.push(names)
    let message = request.message as JsonObject
    const answers = chain.slice(0, most).map(({ action, shadow }, index) => {
      const answer = (links[names[index] ?? ''] ?? pass)(message, request)
      if (answer.verdict === 'modify' && !shadow && action !== 'detect') message = answer.patch.message as JsonObject
      return answer
    })
    return { ...(answers[0] as Evaluation), rest: answers.slice(1) }
  }
  const evaluate = (request: EvaluateRequest) => (isSlow ? Promise.resolve(answerOf(request)) : answerOf(request))
  return { asked, ...bench({ chained: evaluate }, [], { chaining: ['chained'] }) }
}

const link = (does: string, facts: Partial<Rule> = {}) =>
  rule({ engine: 'chained', action: null, config: { words: does }, ...facts })
const textIn = ({ arguments: given }: JsonObject) => (given as { t: string }).t
const add =
  (sign: string): Link =>
  (message) =>
    modify({ message: { ...message, arguments: { t: textIn(message) + sign } } as Json })
const left = (outcome: Outcome) => (outcome.kind === 'changed' ? textIn(outcome.message) : outcome.kind)
const found = (leaf: number): Link => {
  const finding = { type: 'X', leaf, start: 0, end: 1, score: 1 }
  return () => ({ verdict: 'findings', findings: [finding] })
}
const verdicts = (outcome: Outcome) => outcome.receipts.map(({ verdict }) => verdict)

for (const isSlow of [false, true]) {
  const how = isSlow ? 'an engine that takes time' : 'an engine that answers at once'

  test(`${how} is asked once for rules in a row, and its changes are chained`, async () => {
    const { asked, request } = chaining({ a: add('a'), b: add('b') }, { isSlow })
    const outcome = await request({ t: 'x' }, [link('a'), link('pass'), link('b')])
    assert.is(left(outcome), 'xab')
    assert.equal(asked, [['a', 'pass', 'b']])
    assert.equal(verdicts(outcome), ['modify', 'pass', 'modify'])
  })

  test(`${how} may end early: it is asked again from there`, async () => {
    const { asked, request } = chaining({ a: add('a'), b: add('b') }, { isSlow, most: 2 })
    assert.is(left(await request({ t: 'x' }, [link('a'), link('b'), link('a'), link('b'), link('a')])), 'xababa')
    assert.equal(
      asked.map(({ length }) => length),
      [5, 3, 1],
    )
  })

  test(`${how}: what follows a change that core makes itself is asked anew`, async () => {
    const { asked, request } = chaining({ mask: found(0), b: add('b') }, { isSlow })
    const outcome = await request({ t: 'xy' }, [link('mask', { action: 'mask' }), link('b'), link('b')])
    assert.is(left(outcome), '*ybb')
    assert.equal(asked, [
      ['mask', 'b', 'b'],
      ['b', 'b'],
    ])
  })

  test(`${how}: what follows a refused change is asked anew, on the message as it stands`, async () => {
    const rename: Link = (message) => modify({ message: { ...message, name: 'drop_table' } as Json })
    const { asked, request } = chaining({ rename, b: add('b') }, { isSlow })
    const open = await request({ t: 'x' }, [link('rename', { onFailure: 'allow' }), link('b')])
    assert.is(left(open), 'xb')
    assert.equal(asked, [['rename', 'b'], ['b']])
    assert.is((await request({ t: 'x' }, [link('rename'), link('b')])).kind, 'blocked')
    assert.is(asked.length, 3)
  })

  test(`${how}: a block and an undecided that blocks end the chain, whatever it answers behind them`, async () => {
    const { asked, request } = chaining(
      { no: () => block('no'), lost: () => undecided('lost'), b: add('b') },
      { isSlow },
    )
    const stopped = await request({ t: 'x' }, [link('no'), link('b')])
    assert.equal([stopped.kind, ...verdicts(stopped)], ['blocked', 'block'])
    const undecidedThere = await request({ t: 'x' }, [link('lost'), link('b')])
    assert.equal([undecidedThere.kind, ...verdicts(undecidedThere)], ['blocked', 'undecided'])
    assert.is(left(await request({ t: 'x' }, [link('lost', { onFailure: 'allow' }), link('b')])), 'xb')
    assert.is(asked.length, 3)
  })

  test(`${how}: shadow rules and detect change nothing for those behind them`, async () => {
    const { asked, request } = chaining({ a: add('a'), no: () => block('no'), b: add('b') }, { isSlow })
    const rules = [
      link('a', { shadow: true }),
      link('no', { action: 'detect' }),
      link('a', { action: 'detect' }),
      link('b'),
    ]
    const outcome = await request({ t: 'x' }, rules)
    assert.is(left(outcome), 'xb')
    assert.equal(verdicts(outcome), ['modify', 'detect', 'detect', 'modify'])
    assert.is(asked.length, 1)
  })
}

test('more answers than rules are a fault, and none of them holds', async () => {
  const { request } = bench({ chained: () => ({ ...pass(), rest: [pass(), pass()] }) }, [], { chaining: ['chained'] })
  const outcome = await request({ t: 'x' }, [link('a'), link('b')])
  assert.equal([outcome.kind, ...verdicts(outcome)], ['blocked', 'undecided'])
  const { request: rubbish } = bench({ chained: () => ({ ...pass(), rest: 'x' as never }) }, [], {
    chaining: ['chained'],
  })
  assert.is((await rubbish({ t: 'x' }, [link('a'), link('b')])).kind, 'blocked')
})

test('an engine that leaves out what core keeps has not seen what stands: those behind are asked anew', async () => {
  const bare: Link = (message) => modify({ message: { name: message['name'], arguments: { t: 'y' } } as Json })
  const { asked, rules, compile } = chaining({ bare, b: add('b') })
  const compiled = await compile([link('bare'), link('b')])
  const given = { name: 'find_contact', arguments: { t: 'x' } }
  assert.is(left(await rules.inspectRequest(compiled, subject(), given)), 'yb')
  assert.is(asked.length, 1)
  const outcome = await rules.inspectRequest(compiled, subject(), { ...given, _meta: { progressToken: 1 } })
  assert.equal(outcome.kind === 'changed' && outcome.message, {
    name: 'find_contact',
    arguments: { t: 'yb' },
    _meta: { progressToken: 1 },
  })
  assert.equal(asked.slice(1), [['bare', 'b'], ['b']])
})

test('a chain that only looks is judged in its place among others that are asked meanwhile', async () => {
  const order: string[] = []
  const slow = (name: string, answer: Evaluation) => async () => {
    order.push(name)
    return answer
  }
  const chained = async ({ chain }: EvaluateRequest) => {
    order.push(`chain of ${chain?.length}`)
    // Ends early: the rest is asked for before what follows is judged.
    return pass()
  }
  const { request } = bench({ chained, slow: slow('slow', block('no')) }, ['slow'], { chaining: ['chained'] })
  const looks = (facts: Partial<Rule> = {}) => link('x', { action: 'detect', ...facts })
  const rules = [looks(), looks(), rule({ engine: 'slow', action: 'detect' }), link('x'), looks()]
  const outcome = await request({ t: 'x' }, rules)
  assert.equal(verdicts(outcome), ['pass', 'pass', 'detect', 'pass', 'pass'])
  assert.equal(order, ['chain of 2', 'slow', 'chain of 1', 'chain of 2', 'chain of 1'])
})

test('a block gives up the whole chain behind it', async () => {
  const { request } = bench(
    { chained: () => new Promise<Evaluation>(() => {}), slow: async () => found(0)({}, {} as never) },
    [],
    { chaining: ['chained'] },
  )
  const looks = (engine: string, action: Rule['action']) => rule({ engine, action })
  const outcome = await request({ t: 'x' }, [
    looks('slow', 'block'),
    looks('chained', 'detect'),
    looks('chained', 'block'),
  ])
  assert.equal([outcome.kind, ...verdicts(outcome)], ['blocked', 'block', 'undecided', 'undecided'])
})

test('a rule of another engine, one that is broken and one that does not cover the message end a row or are left out', async () => {
  const { asked, request } = chaining({ a: add('a') })
  const rules = [link('a'), link('a', { servers: ['other'] }), link('a'), rule({ config: { words: ['q'] } }), link('a')]
  assert.is(left(await request({ t: 'x' }, rules)), 'xaaa')
  assert.equal(asked, [['a', 'a'], ['a']])
  const broken = link('a', { config: { invalid: true }, onFailure: 'allow' })
  assert.is(left(await request({ t: 'x' }, [link('a'), broken, link('a')])), 'xaa')
  assert.equal(asked.slice(2), [['a'], ['a']])
})

test('all of a chain see values and keys; a finding in a key counts, blocks and is never changed', async () => {
  const { request } = chaining({ value: found(0), key: found(1) })
  const inKey = (action: Rule['action']) => request({ t: 'x' }, [link('key', { action })])
  assert.equal(verdicts(await inKey('detect')), ['detect'])
  assert.is((await inKey('block')).kind, 'blocked')
  const masked = await inKey('mask')
  assert.equal([masked.kind, ...verdicts(masked)], ['blocked', 'undecided'])
})

test('a change by a rule that is to block is no decision', async () => {
  const { request } = chaining({ a: add('a') })
  const outcome = await request({ t: 'x' }, [link('a', { action: 'block' })])
  assert.equal([outcome.kind, ...verdicts(outcome)], ['blocked', 'undecided'])
})

test('the time of a chain is parted among its rules: as the engine says, or equally', async () => {
  const { request } = chaining({ a: () => ({ ...pass(), ms: 0 }), rogue: () => ({ ...pass(), ms: 1e9 }) })
  const { receipts } = await request({ t: 'x' }, [link('a'), link('rogue'), link('b')])
  assert.is(receipts[0]?.ms, 0)
  assert.ok((receipts[1]?.ms ?? 1e9) < 1000)
})

test.run()
