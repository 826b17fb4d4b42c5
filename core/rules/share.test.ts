import { pass } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { uuidv7 } from '../record/trail.js'
import { bucketOf, isInShare } from './share.js'
import { bench, rule, subject } from './testing.js'

test('a call is in the same bucket on every leg, and calls of one moment are spread over all of them', () => {
  const ids = Array.from({ length: 10_000 }, () => uuidv7(1_800_000_000_000))
  const counts = new Map<number, number>()
  for (const id of ids) counts.set(bucketOf(id), (counts.get(bucketOf(id)) ?? 0) + 1)
  assert.is(counts.size, 100)
  assert.ok(
    [...counts.values()].every((n) => n > 40 && n < 180),
    String([...counts.values()]),
  )
  assert.ok(ids.every((id) => bucketOf(id) === bucketOf(id)))
})

test('two shares that meet take every call once; none takes nothing', () => {
  for (let n = 0; n < 200; n += 1) {
    const id = `call-${n}`
    assert.is(isInShare({ from: 0, to: 30 }, id), !isInShare({ from: 30, to: 100 }, id))
    assert.not.ok(isInShare({ from: 0, to: 0 }, id))
  }
})

test('a version with a share looks at its calls alone, and rules without one at all', async () => {
  const { rules, compile } = bench({ words: pass })
  const [one, other, all] = await compile([rule(), rule(), rule()])
  assert.ok(one && other && all)
  const shared = [{ ...one, share: { from: 0, to: 50 } }, { ...other, share: { from: 50, to: 100 } }, all]
  const seen = new Set<string>()
  for (let n = 0; n < 50; n += 1) {
    const context = () => ({ ...subject().context(), correlationId: `call-${n}` })
    const { receipts } = await rules.inspectRequest(shared, subject({ context }), { arguments: {} })
    assert.is(receipts.length, 2)
    assert.is(receipts[1]?.rule_id, all.rule.id)
    seen.add(receipts[0]?.rule_id ?? '')
  }
  assert.is(seen.size, 2)
})

test.run()
