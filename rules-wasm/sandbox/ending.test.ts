import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { honest, open, PASS, wat } from './rule.fixture.js'

/** Goes on for longer than any test when its input is one byte long, and else passes; a mark in its memory makes it trap. */
const endless = (work: string, imports: readonly string[] = []) =>
  wat({
    imports: ['input_read', ...imports],
    body: `(if (i32.load (i32.const 70000)) (then unreachable))
      (if (i32.eq (call $input_read (i32.const 1000) (i32.const 0) (i32.const 2)) (i32.const 1))
        (then (i32.store (i32.const 70000) (i32.const 1)) (loop $again ${work} (br $again))))
      ${PASS}`,
  })

const grants = { fuel: 500_000_000 }
const byte = new Uint8Array(1)

const ways: readonly (readonly [way: string, text: string, capabilities: readonly string[]])[] = [
  [
    'in a loop of its own',
    endless('(i64.store (i32.const 80000) (i64.div_u (i64.const 7) (i64.load (i32.const 16))))'),
    [],
  ],
  ['in calls of the host', endless('(call $log (i32.const 1) (i32.const 16) (i32.const 31))', ['log']), ['log']],
]

for (const [way, text, capabilities] of ways) {
  test(`a run is ended ${way}, and nothing of it is left`, async () => {
    const rule = await open(text, { grants, manifest: { capabilities, limits: { fuel: grants.fuel } } })
    for (let n = 0; n < 3; n++) {
      const at = performance.now()
      const { answer, failure } = await rule.run({ input: byte, kv: null, mostMs: 20 })
      assert.is(answer, null)
      assert.is(failure?.kind, 'late', failure?.message)
      assert.ok(performance.now() - at < 1_000)
      for (const mostMs of [undefined, 1_000]) {
        const next = await rule.run({ input: honest, kv: null, ...(mostMs !== undefined && { mostMs }) })
        assert.is(next.failure, null, next.failure?.message)
        assert.equal(next.log, [])
      }
    }
  })
}

test('a run that may be ended is as any other one, also behind one that trapped', async () => {
  const rule = await open(endless('unreachable'))
  const plain = await rule.run({ input: honest, kv: null })
  assert.is((await rule.run({ input: byte, kv: null, mostMs: 1_000 })).failure?.kind, 'trap')
  const { ms: _, ...watched } = await rule.run({ input: honest, kv: null, mostMs: 1_000 })
  assert.equal({ ...watched, ms: plain.ms }, plain)
})

test.run()
