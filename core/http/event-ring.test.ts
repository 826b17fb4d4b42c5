import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EventRing } from './event-ring.js'

const seqs = (ring: EventRing, after = 0) => ring.since(after).map((text) => Number(/^id: n\.(\d+)$/m.exec(text)?.[1]))

test('an event has the next number and comes back as it went out', () => {
  const ring = new EventRing('n')
  assert.is(ring.push('{"a":1}', false), 'id: n.1\nevent: message\ndata: {"a":1}\n\n')
  ring.push('{}', true)
  assert.equal([ring.last, ring.since(0).length, ring.since(1).length, ring.since(2).length], [2, 2, 1, 0])
})

test('past the most of events the oldest notes go, and what must be known stays', () => {
  const ring = new EventRing('n', undefined, { events: 3, bytes: 10_000 })
  ring.push('{}', true)
  for (let n = 0; n < 5; n += 1) ring.push('{}', false)
  assert.equal(seqs(ring), [1, 5, 6])
  for (let n = 0; n < 4; n += 1) ring.push('{}', true)
  assert.equal(seqs(ring), [8, 9, 10], 'without notes the oldest go')
})

test('past the most of bytes the oldest go, but never the last', () => {
  let bytes = 0
  const ring = new EventRing('n', (delta) => (bytes += delta), { events: 100, bytes: 1_000 })
  for (let n = 0; n < 50; n += 1) ring.push('x'.repeat(100), false)
  assert.ok(ring.bytes <= 1_000 && ring.bytes > 800, String(ring.bytes))
  ring.push('x'.repeat(5_000), true)
  assert.equal(seqs(ring), [51])
  assert.is(bytes, ring.bytes)
  ring.clear()
  assert.equal([bytes, ring.bytes, ring.last, seqs(ring)], [0, 0, 51, []])
})

test.run()
