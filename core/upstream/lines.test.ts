import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createLineSplitter } from './lines.js'

function split(chunks: readonly Buffer[], limit = 1_000) {
  const lines: string[] = []
  let overflows = 0
  const splitter = createLineSplitter({ limit, onLine: (line) => lines.push(line), onOverflow: () => overflows++ })
  for (const chunk of chunks) splitter.push(chunk)
  return { lines, overflows }
}

test('lines cut at any byte are whole again', () => {
  const bytes = Buffer.from('{"a":"größe 💶"}\r\n\n{"b":1}\nhalf')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { lines } = split([bytes.subarray(0, cut), bytes.subarray(cut)])
    assert.equal(lines, ['{"a":"größe 💶"}', '{"b":1}'])
  }
})

test('a line over the limit overflows once, whether it ends or not', () => {
  for (const chunks of [
    [Buffer.from('a\n'), Buffer.alloc(60, 120), Buffer.alloc(60, 120)],
    [Buffer.from(`a\n${'x'.repeat(101)}\nb\n`), Buffer.from('c\n')],
  ]) {
    const { lines, overflows } = split(chunks, 100)
    assert.equal(lines, ['a'])
    assert.is(overflows, 1)
  }
  assert.is(split([Buffer.from(`${'x'.repeat(100)}\n`.repeat(5))], 100).lines.length, 5)
})

test.run()
