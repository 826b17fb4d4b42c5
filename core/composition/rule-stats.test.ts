import { pass } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import type { RuleStatRepository } from '../domain/rule-watch.js'
import { bench, rule, subject } from '../rules/testing.js'
import { createRuleStats } from './rule-stats.js'

type Added = Parameters<RuleStatRepository['add']>[0]

test('what was counted is written once, one row for each version, and kept when it cannot be', async () => {
  const added: Added[] = []
  let isAway = true
  const stats = createRuleStats({
    store: {
      add: async (some) => {
        if (isAway) throw new GatehouseError('GH_DB_UNAVAILABLE')
        added.push(some)
      },
    },
    log: { warn: () => undefined },
    everyMs: 3_600_000,
  })
  const { rules, compile } = bench({ teller: pass }, ['teller'], { tallies: stats.tallies })
  const [one, other] = [rule({ engine: 'teller', action: null }), rule({ engine: 'teller', action: null })]
  const look = async (...list: Parameters<typeof compile>[0]) =>
    rules.inspectRequest(await compile(list), subject(), { arguments: {} })
  await look(one, other)
  await stats.flush()
  // Prepared anew it is the same version.
  await look(one)
  isAway = false
  await stats.flush()
  assert.equal(
    added.map((some) => some.map(({ ruleId, ruleVersion, calls }) => [ruleId, ruleVersion, calls])),
    [
      [
        [one.id, 3, 2],
        [other.id, 3, 1],
      ],
    ],
  )
  await look(other)
  await stats.stop()
  assert.equal(
    added[1]?.map(({ ruleId, calls }) => [ruleId, calls]),
    [[other.id, 1]],
  )
})

test.run()
