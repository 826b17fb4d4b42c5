import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, PASS, run, wat } from './rule.fixture.js'

test('runs an honest rule again and again', async () => {
  const rule = await open(wat({ body: PASS }))
  for (let n = 0; n < 3; n++) {
    const { answer, failure, fuel, memoryPages, outputBytes } = await run(rule)
    assert.is(failure, null)
    assert.equal(answer, { version: 1, verdict: 'pass' })
    assert.ok(fuel > 50 && fuel < 200, String(fuel))
    assert.is(memoryPages, 2)
    assert.is(outputBytes, 31)
  }
})

test('gives the rule its input', async () => {
  const body = `(local.set $n (call $input_read (i32.const 1000) (i32.const 0) (i32.const 4096)))
    (call $output_write (i32.const 1000) (local.get $n))`
  const rule = await open(wat({ imports: ['input_read'], body }))
  const { answer } = await run(rule, '{"version":1,"verdict":"block","reason":"no"}')
  assert.equal(answer, { version: 1, verdict: 'block', reason: 'no' })
})

test.run()
