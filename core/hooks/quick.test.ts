import { HOOKS, type HookName } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { QUICK } from './quick.js'

const HASH = 'a'.repeat(64)
const ANSWERS: unknown[] = [
  { kind: 'notMine' },
  { kind: 'token', hash: HASH },
  { kind: 'token', hash: `${HASH}\n` },
  { kind: 'token', hash: HASH.toUpperCase() },
  { kind: 'token' },
  { kind: 'token', hash: [HASH] },
  { verdict: 'findings', findings: [] },
  { verdict: 'findings', findings: [{}] },
  { verdict: 'findings', findings: {} },
  { verdict: 'pass' },
  null,
  undefined,
  'notMine',
  [],
]

for (const hook of Object.keys(QUICK) as HookName[]) {
  test(`nothing passes ${hook} quickly that its schema refuses`, () => {
    const quick = ANSWERS.filter((answer) => QUICK[hook]?.(answer))
    assert.ok(quick.length > 0)
    for (const answer of quick) assert.ok(HOOKS[hook].answer.safeParse(answer).success, JSON.stringify(answer))
  })
}

test.run()
