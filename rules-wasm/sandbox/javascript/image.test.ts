import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadEngine } from './engine.js'
import { takeImage } from './image.js'
import { Interpreter } from './interpreter.js'

const test = suite('the memory of the interpreter')
const engine = await loadEngine()

function start() {
  const interpreter = new Interpreter(engine, { memoryPages: 64, now: () => 0 })
  const echo = interpreter.runScript('(function (text) { return JSON.stringify(JSON.parse(text)) })', 'echo.js')
  const image = takeImage(interpreter)
  return { interpreter, echo, image, before: interpreter.bytes.slice() }
}

test('is in every bit what it was once it is put back', () => {
  for (const after of ['success', 'failure'] as const) {
    const { interpreter, echo, image, before } = start()
    for (const size of [1, 100, 100_000]) {
      const text = JSON.stringify({ secret: 'sesame'.repeat(size) })
      assert.is(
        new TextDecoder().decode(
          interpreter.stringOf(interpreter.call(echo, [interpreter.newString(text)])) ?? undefined,
        ),
        text,
      )
      assert.ok(Buffer.from(interpreter.bytes).includes('sesame'))
      image.restore(after)
      assert.ok(Buffer.compare(Buffer.from(interpreter.bytes.buffer), before) === 0, `${size} ${after}`)
    }
  }
})

test('is so after the deepest calls, and after a trap in their midst', () => {
  const { interpreter, image, before } = start()
  const deep = 'let n = 0; (function deeper() { n += 1; try { deeper() } catch {} })(); n'
  interpreter.runScript(deep, 'deep.js')
  image.restore('success')
  assert.ok(Buffer.compare(Buffer.from(interpreter.bytes.buffer), before) === 0, 'success')
  interpreter.fuel = 1_000_000n
  assert.throws(() => interpreter.runScript(deep, 'deep.js'))
  interpreter.fuel = 1_000_000_000n
  interpreter.resetStack()
  image.restore('failure')
  assert.ok(Buffer.compare(Buffer.from(interpreter.bytes.buffer), before) === 0, 'failure')
})

test('has a heap of the pages that it was given, and not one more', () => {
  for (const memoryPages of [64, 512]) {
    const interpreter = new Interpreter(engine, { memoryPages, now: () => 0 })
    assert.is(interpreter.memory.buffer.byteLength - interpreter.heap, memoryPages * 65_536)
    assert.throws(() =>
      interpreter.runScript('const all = []; for (;;) all.push(new Uint8Array(50_000).fill(1))', 'full.js'),
    )
    assert.ok(interpreter.pages <= memoryPages && interpreter.pages > memoryPages * 0.9, String(interpreter.pages))
  }
})

test.run()
