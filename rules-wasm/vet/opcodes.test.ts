import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { assemble, exportFunction, FUNCREF, I32, type as functionType } from './assemble.fixture.js'
import { decode } from './decode.js'
import { meter, ModuleRefusal } from './index.js'
import { type Immediate, op, opcodes } from './opcodes.js'
import { caps } from './run.fixture.js'

const samples: Readonly<Record<Immediate, readonly number[]>> = {
  none: [],
  block: [0x40, op.end],
  label: [0],
  labels: [1, 0, 0],
  function: [0],
  indirect: [0, 0],
  index: [0],
  indexes: [0, 0],
  address: [0, 0],
  memory: [0],
  memories: [0, 0],
  i32: [0xff, 0xff, 0xff, 0xff, 0x07],
  i64: [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f],
  f32: [11, 11, 11, 11],
  f64: [11, 11, 11, 11, 11, 11, 11, 11],
  bytes16: Array.from({ length: 16 }, () => op.end),
  lane: [1],
  addressLane: [0, 0, 1],
  data: [0, 0],
  reference: [FUNCREF],
  types: [1, I32],
}

const written = (code: number): number[] => {
  if (code < 0x100) return [code]
  const sub = code & 0xff
  return sub < 0x80 ? [code >> 8, sub] : [code >> 8, (sub & 0x7f) | 0x80, 1]
}

/** In dead code every instruction finds the operands that it asks for. */
function around(instruction: readonly number[]): Uint8Array<ArrayBuffer> {
  return assemble({
    types: [functionType([], [])],
    functions: [0],
    tables: [[FUNCREF, 0, 1]],
    memories: [[0, 1]],
    globals: [[I32, 1, 0x41, 0, op.end]],
    exports: [exportFunction('run', 0)],
    elements: [[1, 0, 1, 0]],
    dataCount: 1,
    code: [{ locals: [[1, I32]], code: [op.unreachable, ...instruction, op.unreachable] }],
    data: [[1, 1, 0]],
  })
}

/** Accepted, but not to be had alone. */
const parts: ReadonlySet<number> = new Set([op.else, op.end])
const every = Array.from({ length: 0x100 }, (_, n) => [n, 0xfc00 + n, 0xfd00 + n]).flat()

test('every accepted opcode is one of the engine, is read to its very end and survives metering', () => {
  for (const [code, { immediate }] of opcodes) {
    if (parts.has(code)) continue
    const bytes = around([...written(code), ...samples[immediate]])
    assert.ok(WebAssembly.validate(bytes), `the engine takes 0x${code.toString(16)}`)
    const found = decode(bytes).bodies[0]?.instructions.map((entry) => entry.code)
    const closing = immediate === 'block' ? [op.end] : []
    assert.equal(found, [op.unreachable, code, ...closing, op.unreachable, op.end], `0x${code.toString(16)}`)
    assert.ok(WebAssembly.validate(meter(bytes, caps) as Uint8Array<ArrayBuffer>), `0x${code.toString(16)} metered`)
  }
})

test('every other opcode is refused, whatever follows it', () => {
  const others = every.filter((code) => !opcodes.has(code) && code !== 0xfc && code !== 0xfd)
  assert.is(opcodes.size + others.length, every.length - 2)
  for (const code of others) {
    for (const immediate of Object.values(samples)) {
      const bytes = around([...written(code), ...immediate])
      assert.throws(
        () => decode(bytes),
        (error: unknown) => error instanceof ModuleRefusal && /is not accepted/.test(error.reason),
      )
    }
  }
})

test('an opcode of the engine that is newer than this table is refused', () => {
  const newer = {
    return_call: [0x12, 0],
    try: [0x06, 0x40, 0x0b],
    'ref.as_non_null': [0xd4],
    'atomic.fence': [0xfe, 3, 0],
  }
  for (const [name, code] of Object.entries(newer)) assert.throws(() => decode(around(code)), /not accepted/, name)
  assert.throws(() => decode(around([0xfd, 0x80, 0x02])), /not accepted/, 'relaxed SIMD')
})

test('an opcode that is padded to hide is read as what it is', () => {
  const bytes = around([0xfc, 0x8b, 0x80, 0x00, 0])
  assert.is(decode(bytes).bodies[0]?.instructions[1]?.code, op.memoryFill)
})

test.run()
