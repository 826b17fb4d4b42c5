import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTolerances, type Tolerated } from './tolerances.js'

test('each fault of each connection is told once', () => {
  const told: Tolerated[] = []
  const tell = createTolerances((fault) => told.push(fault))
  const fault = (connectionId: string, tolerance: Tolerated['tolerance'] = 'legacy-header') => ({
    tolerance,
    connectionId,
    client: 'claude-ai',
  })
  for (let n = 0; n < 3; n += 1) for (const one of [fault('a'), fault('b'), fault('a', 'other-version')]) tell(one)
  assert.equal(told, [fault('a'), fault('b'), fault('a', 'other-version')])
})

test.run()
