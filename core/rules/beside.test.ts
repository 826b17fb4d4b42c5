import type { Evaluation } from '@gatehouse/sdk'
import { block, modify, pass, undecided } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readBeside } from './beside.js'
import { bench, rule } from './testing.js'

const telling = (answer: Evaluation) => bench({ teller: () => answer }, ['teller'])
const teller = (facts = {}) => rule({ engine: 'teller', action: null, ...facts })
const EVIDENCE = { abi: 'x/1', fuel: 12 }

test('an engine that tells nothing costs nothing: its receipt has no evidence, and nothing is recorded', async () => {
  const { receipts, recorded } = await telling(pass()).request({ t: 'x' }, [teller()])
  assert.not.ok('evidence' in (receipts[0] ?? {}))
  assert.equal(recorded, [])
  assert.is(readBeside(pass()), null)
})

test('evidence stands in the receipt of every verdict', async () => {
  for (const answer of [pass(), block('no'), undecided('lost'), modify({ message: { name: 'other' } })]) {
    const { receipts } = await telling({ ...answer, evidence: EVIDENCE } as Evaluation).request({ t: 'x' }, [teller()])
    assert.equal(receipts[0]?.evidence, EVIDENCE)
  }
})

test('counts add to the findings of the receipt, and are no act', async () => {
  const { receipts, alerts } = await telling({ ...pass(), counts: { rows: 3, none: 0 } }).request({ t: 'x' }, [
    teller({ alerts: true }),
  ])
  assert.equal([receipts[0]?.verdict, receipts[0]?.findings], ['pass', { rows: 3, none: 0 }])
  assert.equal(alerts, [])
  const both = await telling({ ...block('no'), counts: { message: 2 } }).request({ t: 'x' }, [
    teller({ action: 'detect' }),
  ])
  assert.equal(both.receipts[0]?.findings, { message: 3 })
})

test('what was recorded comes out beside the receipt it belongs to, with the message if it was another', async () => {
  const { request } = bench(
    {
      changer: ({ message }) => ({
        ...modify({ message: { ...(message as object), arguments: { t: 'y' } } }),
        recorded: { first: 1 },
      }),
      teller: () => ({ ...block('no'), recorded: { second: 2 } }),
    },
    ['changer', 'teller'],
  )
  const rules = [rule({ config: { words: ['q'] } }), rule({ engine: 'changer', action: null }), teller()]
  const outcome = await request({ t: 'x' }, rules)
  assert.equal(
    outcome.recorded.map(({ receipt, message, recorded }) => ({ receipt, message, recorded })),
    [
      { receipt: 1, message: null, recorded: { first: 1 } },
      { receipt: 2, message: { name: 'find_contact', arguments: { t: 'y' } }, recorded: { second: 2 } },
    ],
  )
})

const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, index) => [`k${index}`, 1]))
const rubbish: Readonly<Record<string, object>> = {
  'counts that are no record': { counts: [1] },
  'a count that is no number': { counts: { a: '1' } },
  'a negative count': { counts: { a: -1 } },
  'too many counts': { counts: many(201) },
  'evidence that is no record': { evidence: 'x' },
  'seventeen keys of evidence': { evidence: many(17) },
  'a long text of evidence': { evidence: { a: 'x'.repeat(201) } },
  'a number that is none': { evidence: { a: Number.NaN } },
  'evidence with an object in it': { evidence: { a: {} } },
  'a record that is no object': { recorded: ['x'] },
  'a record of more than 64 KiB': { recorded: { a: 'x'.repeat(65_536) } },
}
for (const [name, beside] of Object.entries(rubbish)) {
  test(`an answer with ${name} is no decision`, async () => {
    const outcome = await telling({ ...pass(), ...beside } as Evaluation).request({ t: 'x' }, [teller()])
    assert.equal([outcome.kind, outcome.receipts[0]?.verdict], ['blocked', 'undecided'])
    assert.not.ok('evidence' in (outcome.receipts[0] ?? {}))
    assert.equal(outcome.recorded, [])
  })
}

test.run()
