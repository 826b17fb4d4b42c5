import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  assemble,
  exportFunction,
  exportGlobal,
  FUNCREF,
  I32,
  I64,
  i32,
  importFunction,
  single,
  text,
  type,
  u32,
} from './assemble.fixture.js'
import { FUEL_EXPORT, meter, RESTORE_EXPORTS } from './index.js'
import { caps, costOf, load, runsDry } from './run.fixture.js'

const loop = [0x03, 0x40, 0x0c, 0, 0x0b]
const memory = { memories: [[0, 16]] }
const table = { tables: [[FUNCREF, 0, ...u32(5_000)]] }

/** Each would go on for ever, or as good as. */
const bombs: readonly (readonly [law: string, bytes: Uint8Array])[] = [
  ['an empty loop', single(loop)],
  ['a loop by br_if', single([0x03, 0x40, ...i32(1), 0x0d, 0, 0x0b])],
  ['a loop by br_table', single([0x03, 0x40, ...i32(9), 0x0e, 1, 0, 0, 0x0b])],
  ['a loop in an if', single([0x03, 0x40, ...i32(1), 0x04, 0x40, 0x0c, 1, 0x0b, 0x0b])],
  ['a loop whose body is blocks and nops', single([0x03, 0x40, 0x02, 0x40, 0x01, 0x0b, 0x0c, 0, 0x0b])],
  ['a loop within a loop', single([0x03, 0x40, 0x03, 0x40, 0x0c, 1, 0x0b, 0x0b])],
  ['fills of 1 MiB', single([0x03, 0x40, ...i32(0), ...i32(7), ...i32(2 ** 20), 0xfc, 11, 0, 0x0c, 0, 0x0b], memory)],
  [
    'copies of 512 KiB',
    single([0x03, 0x40, ...i32(0), ...i32(9), ...i32(2 ** 19), 0xfc, 10, 0, 0, 0x0c, 0, 0x0b], memory),
  ],
  ['growing by nothing', single([0x03, 0x40, ...i32(0), 0x40, 0, 0x1a, 0x0c, 0, 0x0b], memory)],
  ['growing too far', single([0x03, 0x40, ...i32(-1), 0x40, 0, 0x1a, 0x0c, 0, 0x0b], memory)],
  [
    'fills of a table',
    single([0x03, 0x40, ...i32(0), 0xd0, FUNCREF, ...i32(5_000), 0xfc, 17, 0, 0x0c, 0, 0x0b], table),
  ],
  ['growing a table', single([0x03, 0x40, 0xd0, FUNCREF, ...i32(1), 0xfc, 15, 0, 0x1a, 0x0c, 0, 0x0b], table)],
]

for (const [law, bytes] of bombs) {
  test(`ends ${law} by its fuel, and the instance can be used again`, () => {
    const metered = load(bytes, 10_000_000n)
    assert.ok(runsDry(metered))
    assert.ok(runsDry(metered), 'and stays ended until the host gives more')
    metered.fuel.value = 5_000n
    assert.ok(runsDry(metered))
  })
}

test('ends recursion by fuel where the stack is deep enough for it', () => {
  assert.ok(runsDry(load(single([0x10, 0]), 20_000n)))
  const deep = load(single([0x10, 0]), 10n ** 15n)
  assert.throws(
    () => deep.run(),
    (error: unknown) => error instanceof RangeError,
  )
})

test('ends recursion through a table', () => {
  const bytes = single([...i32(0), 0x11, 0, 0], { ...table, elements: [[0, 0x41, 0, 0x0b, 1, 0]] })
  assert.ok(runsDry(load(bytes, 20_000n)))
})

test('ends a loop in the start section at instantiation', () => {
  const bytes = single([], { functions: [0, 0], code: [[], loop], start: 1 })
  assert.throws(
    () => load(bytes, 1n),
    (error: unknown) => error instanceof WebAssembly.RuntimeError,
  )
})

test('charges lengths of bulk operations', () => {
  const fill = (bytes: number) => costOf(load(single([...i32(0), ...i32(1), ...i32(bytes), 0xfc, 11, 0], memory), 0n))
  assert.is(fill(2 ** 20) - fill(0), 2 ** 16)
  const init = (bytes: number) =>
    costOf(
      load(
        single([...i32(0), ...i32(0), ...i32(bytes), 0xfc, 8, 0, 0], {
          ...memory,
          dataCount: 1,
          data: [[1, 64, ...Array(64).fill(1)]],
        }),
        0n,
      ),
    )
  assert.is(init(64) - init(0), 4)
  const copy = (count: number) => costOf(load(single([...i32(0), ...i32(1), ...i32(count), 0xfc, 14, 0, 0], table), 0n))
  assert.is(copy(1_000) - copy(0), 32_000)
  const tableInit = (count: number) =>
    costOf(
      load(
        single([...i32(0), ...i32(0), ...i32(count), 0xfc, 12, 0, 0], { ...table, elements: [[1, 0, 4, 0, 0, 0, 0]] }),
        0n,
      ),
    )
  assert.is(tableInit(4) - tableInit(0), 128)
  const grow = (pages: number) => costOf(load(single([...i32(pages), 0x40, 0, 0x1a], memory), 0n))
  assert.is(grow(3) - grow(0), 3 * 4096)
})

test('pays for a bulk operation before it is done', () => {
  const metered = load(
    single([...i32(0), ...i32(7), ...i32(2 ** 20), 0xfc, 11, 0], {
      ...memory,
      exports: [exportFunction('run', 0), [...text('memory'), 2, 0]],
    }),
    60_000n,
  )
  assert.ok(runsDry(metered))
  assert.is(new Uint8Array((metered.exports['memory'] as WebAssembly.Memory).buffer)[0], 0)
})

const host = { host: { f: () => {} } }
const importing = {
  types: [type([], [])],
  imports: [importFunction('host', 'f', 0)],
  exports: [exportFunction('run', 1)],
  functions: [0],
}
const direct = costOf(load(assemble({ ...importing, code: [[0x10, 0]] }), 0n, host))
const empty = costOf(load(assemble({ ...importing, code: [[]] }), 0n, host))

test('charges calls of host functions more than others', () => {
  assert.ok(direct - empty >= 50)
})

/** By a table that is filled from a segment, by one that is filled with ref.func, by an expression, by a global. */
const indirect = {
  'an element': { ...importing, ...table, elements: [[0, 0x41, 0, 0x0b, 1, 0]], code: [[...i32(0), 0x11, 0, 0]] },
  'an expression': {
    ...importing,
    ...table,
    elements: [[4, 0x41, 0, 0x0b, 1, 0xd2, 0, 0x0b]],
    code: [[...i32(0), 0x11, 0, 0]],
  },
  'ref.func': {
    ...importing,
    ...table,
    elements: [[3, 0, 1, 0]],
    code: [[...i32(0), 0xd2, 0, 0x26, 0, ...i32(0), 0x11, 0, 0]],
  },
  'a passive segment': {
    ...importing,
    ...table,
    elements: [[1, 0, 1, 0]],
    code: [[...i32(0), ...i32(0), ...i32(1), 0xfc, 12, 0, 0, ...i32(0), 0x11, 0, 0]],
  },
  'a global': {
    ...importing,
    ...table,
    globals: [[FUNCREF, 0, 0xd2, 0, 0x0b]],
    code: [[...i32(0), 0x23, 0, 0x26, 0, ...i32(0), 0x11, 0, 0]],
  },
}
for (const [way, parts] of Object.entries(indirect)) {
  test(`charges a host function that is called through ${way}`, () => {
    let calls = 0
    const metered = load(assemble(parts), 0n, { host: { f: () => calls++ } })
    assert.ok(costOf(metered) > direct)
    assert.is(calls, 1)
  })
}

test('charges a host function that is the start', () => {
  const bytes = assemble({ ...importing, start: 0, code: [[]] })
  let calls = 0
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(meter(bytes, caps) as Uint8Array<ArrayBuffer>), {
    host: { f: () => calls++ },
  })
  assert.is(calls, 1)
  assert.ok((exports[FUEL_EXPORT] as unknown as { value: bigint }).value <= caps.startFuel - 50n)
})

test('charges a host function that is exported again', () => {
  const metered = load(assemble({ ...importing, exports: [exportFunction('run', 0)], code: [[]] }), 0n, host)
  assert.ok(costOf(metered) >= 50)
})

test('gives a module no way to its fuel', () => {
  const other = [[I64, 1, 0x42, 0, 0x0b]]
  assert.throws(() => meter(single([0x42, 0, 0x24, 0]), caps), /not valid/)
  assert.throws(() => meter(single([0x42, 0, 0x24, 1], { globals: other }), caps), /not valid/)
  assert.throws(() => meter(single([], { globals: other, exports: [exportGlobal(FUEL_EXPORT, 0)] }), caps), /reserved/)
  assert.throws(() => meter(single([], { exports: [exportFunction(`${FUEL_EXPORT}_2`, 0)] }), caps), /reserved/)
  assert.throws(() => meter(single([], { exports: [exportGlobal('x', 0)] }), caps), /not valid/)
  assert.throws(() => meter(meter(single([]), caps), caps), /reserved/, 'not even one that is metered already')
})

test('sets the maxima of memory and tables, lowers them and leaves lower ones', () => {
  const grow = (limits: readonly number[], pages: number) =>
    load(single([...i32(pages), 0x40, 0], { types: [type([], [I32])], memories: [limits] }), 10n ** 9n).run()
  assert.is(grow([0, 1], 63), 1)
  assert.is(grow([0, 1], 64), -1)
  assert.is(grow([1, 1, 0x80, 0x80, 4], 64), -1)
  assert.is(grow([1, 1, 2], 2), -1)
  const elements = (count: number) =>
    load(single([0xd0, FUNCREF, ...i32(count), 0xfc, 15, 0], { types: [type([], [I32])], ...table }), 10n ** 9n).run()
  assert.is(elements(5_000), 5_000)
  assert.is(elements(5_001), -1)
})

test('charges what runs: a case of a switch that is not taken costs nothing much', () => {
  const dear = Array.from({ length: 1_000 }, () => [...i32(1), 0x1a]).flat()
  const run = load(
    assemble({
      types: [type([I32], [])],
      functions: [0],
      exports: [exportFunction('run', 0)],
      code: [[0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0e, 1, 0, 1, 0x0b, ...dear, 0x0b]],
    }),
    0n,
  )
  assert.ok(costOf(run, 0) >= 2_000)
  assert.ok(costOf(run, 1) < 50)
})

test('charges all of a loop: twice the rounds, twice the cost', () => {
  const body = [0x03, 0x40, 0x20, 0, 0x04, 0x40, 0x20, 0, ...i32(1), 0x6b, 0x21, 0, 0x0c, 1, 0x0b, 0x0b]
  const parts = { types: [type([I32], [])], functions: [0], exports: [exportFunction('run', 0)], code: [body] }
  const metered = load(assemble(parts), 0n)
  const rounds = (count: number) => costOf(metered, count)
  assert.is(rounds(2_000) - rounds(1_000), rounds(1_000) - rounds(0))
  assert.ok(rounds(1_000) - rounds(0) >= 8_000)
})

test('drops custom sections save the names, and stays the same for the same bytes', () => {
  const names = [1, 6, 1, 0, 3, 0x72, 0x75, 0x6e]
  const bytes = single([], {
    custom: [
      ['sourceMappingURL', [1, 0x61]],
      ['name', names],
    ],
  })
  const metered = meter(bytes, caps)
  assert.equal(metered, meter(bytes, caps))
  const module = new WebAssembly.Module(metered as Uint8Array<ArrayBuffer>)
  assert.equal([...new Uint8Array(WebAssembly.Module.customSections(module, 'name')[0] ?? new ArrayBuffer())], names)
  assert.is(WebAssembly.Module.customSections(module, 'sourceMappingURL').length, 0)
})

test('keeps exports and adds the fuel alone', () => {
  const module = new WebAssembly.Module(meter(single([]), caps) as Uint8Array<ArrayBuffer>)
  assert.equal(
    WebAssembly.Module.exports(module).map(({ name }) => name),
    ['run', FUEL_EXPORT],
  )
})

/** The value of a global that a metered module exports. */
const valueOf = (exports: WebAssembly.Exports, name: string) => (exports[name] as unknown as { value: number }).value

function restorable(bytes: Uint8Array, isSteady = false) {
  const metered = meter(bytes, { ...caps, restore: true, steady: isSteady })
  return new WebAssembly.Instance(new WebAssembly.Module(metered as Uint8Array<ArrayBuffer>)).exports
}

test('tells where a module has written, by stores, fills and copies', () => {
  const store = (at: number, offset: number) => [...i32(at), ...i32(7), 0x36, 2, ...u32(offset)]
  const fill = [...i32(9_000), ...i32(1), ...i32(500), 0xfc, 11, 0]
  const ranges: readonly (readonly [code: readonly number[], low: number, high: number])[] = [
    [[], -1, -1],
    [store(100, 4), 104, 104],
    [[...store(400, 0), ...store(100, 70_000), ...store(2, 0)], 2, 70_100],
    [fill, 9_000, 9_500],
    [[...i32(600), ...i32(0), ...i32(32), 0xfc, 10, 0, 0], 600, 632],
  ]
  for (const [code, low, high] of ranges) {
    const exports = restorable(single(code, memory))
    ;(exports['run'] as () => void)()
    assert.is(valueOf(exports, RESTORE_EXPORTS.low), low)
    assert.is(valueOf(exports, RESTORE_EXPORTS.low) + valueOf(exports, RESTORE_EXPORTS.span), high)
  }
})

test('exports its variables, and nothing to put back where tables change', () => {
  const globals = [
    [I32, 1, 0x41, 5, 0x0b],
    [I32, 0, 0x41, 6, 0x0b],
    [I64, 1, 0x42, 7, 0x0b],
  ]
  const names = Object.keys(restorable(single([], { ...memory, globals })))
  assert.equal(
    names.slice(2),
    ['memory', 'low', 'span', 'variable_0', 'variable_1'].map((name) => `${FUEL_EXPORT}_${name}`),
  )
  const lasting = restorable(single([...i32(0), 0xd0, FUNCREF, 0x26, 0], { ...memory, ...table }))
  assert.equal(Object.keys(lasting), ['run', FUEL_EXPORT])
})

test('a steady memory is counted as growing, and no further than it may', () => {
  const grow = (pages: number) => [...i32(pages), 0x40, 0]
  const parts = { types: [type([], [I32])], memories: [[1, 2, 5]] }
  const sizeAfter = (code: readonly number[]) => {
    const exports = restorable(single(code, parts), true)
    ;(exports[FUEL_EXPORT] as unknown as { value: bigint }).value = 10n ** 15n
    const result = (exports['run'] as () => number)()
    assert.is((exports[RESTORE_EXPORTS.memory] as WebAssembly.Memory).buffer.byteLength, 5 * 65_536)
    return [result, valueOf(exports, RESTORE_EXPORTS.size)]
  }
  assert.equal(sizeAfter([0x3f, 0]), [2, 2])
  assert.equal(sizeAfter(grow(3)), [2, 5])
  assert.equal(sizeAfter(grow(4)), [-1, 2])
  assert.equal(sizeAfter(grow(-1)), [-1, 2])
  assert.equal(sizeAfter([...grow(1), 0x1a, 0x3f, 0]), [3, 3])
})

test.run()
