import { TaskFailure } from '@gatehouse/sdk/workers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runLinks } from './chain.js'
import type { Asked } from './chain.js'
import { createRisks } from './risks.js'
import type { RulePool } from './shelf.js'

test('when no thread is free no rule of the chain waits once more', async () => {
  let runs = 0
  const pool = {
    run: () => {
      runs += 1
      return Promise.reject(new TaskFailure('busy', 'no worker was free'))
    },
  } as unknown as RulePool
  const limits = { killMs: 250 }
  const asked = [1, 2, 3].map((key) => ({ rule: { build: { module: { limits } } }, link: { key } }) as unknown as Asked)
  const came = await runLinks({ pool, risks: createRisks(Date.now).of(null) }, asked, [])
  assert.equal([came.map(({ kind }) => kind), runs], [['unable', 'unable', 'unable'], 1])
})

test.run()
