import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { assemble, FUNCREF, HEADER, i32, I32, importFunction, section, single, text, type } from './assemble.fixture.js'
import { decode } from './decode.js'
import { defaultPolicy, meter, ModuleRefusal, vet } from './index.js'
import { Reader } from './reader.js'
import { caps } from './run.fixture.js'

const bytesOf = (...values: readonly number[]) => Uint8Array.from([...HEADER, ...values])
const sound = () =>
  assemble({
    types: [type([], []), type([I32], [I32])],
    imports: [importFunction('host', 'log', 1)],
    functions: [0, 1],
    tables: [[FUNCREF, 0, 2]],
    memories: [[1, 1, 2]],
    globals: [[I32, 1, 0x41, 0, 0x0b]],
    exports: [[...text('run'), 0, 1]],
    start: 1,
    elements: [[0, 0x41, 0, 0x0b, 2, 0, 2]],
    dataCount: 1,
    code: [
      [0x41, 1, 0x10, 2, 0x1a],
      [0x20, 0, 0x04, I32, 0x41, 7, 0x05, 0x20, 0, 0x0b],
    ],
    data: [[0, 0x41, 0, 0x0b, 3, 1, 2, 3]],
    custom: [['name', [0, 2, 1, 0x61]]],
  })

/** Each with the words of its refusal. */
const malformed: readonly (readonly [law: string, bytes: Uint8Array, words: RegExp])[] = [
  ['nothing', new Uint8Array(), /ends inside the header/],
  ['another magic', Uint8Array.of(1, 2, 3, 4, 1, 0, 0, 0), /not WebAssembly of version 1/],
  ['a component', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), /not WebAssembly of version 1/],
  ['a size over the end', bytesOf(1, 5, 0), /ends inside section 1/],
  ['a size of too many bytes', bytesOf(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0), /overlong number as the size of a section/],
  ['a size of too many bits', bytesOf(1, 0xff, 0xff, 0xff, 0xff, 0x1f), /overlong number/],
  ['a second section', bytesOf(...section(1, [0]), ...section(1, [0])), /second or misplaced type/],
  ['a misplaced section', bytesOf(...section(3, [0]), ...section(1, [0])), /second or misplaced type/],
  ['an unknown section', bytesOf(...section(14, [0])), /section 14, which is not accepted/],
  ['a tag section', bytesOf(...section(13, [0])), /section 13, which is not accepted/],
  ['an oversize count', bytesOf(...section(1, [0xff, 0xff, 0x7f])), /more than 10000/],
  ['a count over the end', bytesOf(...section(1, [100, 0x60])), /ends before its 100 entries/],
  ['bytes left over', bytesOf(...section(1, [0, 0])), /bytes left over in the type section/],
  ['a type of GC', bytesOf(...section(1, [1, 0x5f, 0])), /functions alone/],
  ['a recursive type', bytesOf(...section(1, [1, 0x4e, 0])), /functions alone/],
  ['a typed reference', assemble({ types: [[0x60, 1, 0x64, 0]] }), /type of value 0x64/],
  ['a shared memory', assemble({ memories: [[3, 1, 2]] }), /a shared memory/],
  ['a 64-bit memory', assemble({ memories: [[4, 1]] }), /a 64-bit memory/],
  [
    'a second memory',
    assemble({
      memories: [
        [0, 1],
        [0, 1],
      ],
    }),
    /2 entries of the memory section, more than 1/,
  ],
  ['a maximum below the size', assemble({ memories: [[1, 2, 1]] }), /below its size/],
  ['a table with an initial value', assemble({ tables: [[0x40, 0, FUNCREF, 0, 1, 0xd0, FUNCREF, 0x0b]] }), /0x40/],
  [
    'an imported tag',
    assemble({ types: [type([], [])], imports: [[...text('a'), ...text('b'), 4, 0, 0]] }),
    /exception tag/,
  ],
  ['a name that is not UTF-8', assemble({ exports: [[1, 0xff, 0, 0]] }), /not UTF-8/],
  ['a function without body', assemble({ types: [type([], [])], functions: [0] }), /bodies/],
  ['an open block', single([0x02, 0x40]), /ends inside code/],
  ['code behind its end', single([0x0b]), /bytes left over in a function/],
  ['an else without if', single([0x02, 0x40, 0x05, 0x0b]), /else without its if/],
  ['a branch to nowhere', single([0x0c, 1]), /not open/],
  ['an unknown function', single([0x10, 9]), /function 9/],
  ['an extended constant', assemble({ globals: [[I32, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]] }), /constant expression/],
  ['too many locals', single([], { code: [{ locals: [[0xff, 0xff, 0xff, 0xff, 0x0f, I32]], code: [] }] }), /locals/],
  ['an overlong i32', single([0x41, 0x80, 0x80, 0x80, 0x80, 0x10, 0x1a]), /overlong number as an i32/],
  ['an overlong i64', single([0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2, 0x1a]), /overlong/],
]

for (const [law, bytes, words] of malformed) {
  test(`refuses ${law} and tells the place`, () => {
    assert.throws(
      () => decode(bytes),
      (error: unknown) => {
        assert.instance(error, ModuleRefusal)
        assert.match((error as ModuleRefusal).reason, words)
        return (error as ModuleRefusal).offset <= bytes.length
      },
    )
  })
}

test('reads numbers that linkers padded', () => {
  assert.is(decode(single([0x41, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a])).bodies.length, 1)
  assert.is(decode(bytesOf(1, 0x81, 0x80, 0x80, 0x80, 0x00, 0)).types.length, 0)
})

test('refuses every truncation, save where a whole module ends', () => {
  const whole = sound()
  assert.ok(WebAssembly.validate(whole))
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.slice(0, length)
    const taken = tryAll(cut)
    if (taken) assert.ok(WebAssembly.validate(cut), `${length} bytes`)
  }
})

test('answers every mutation by a module that is valid or by a refusal, soon', () => {
  const whole = sound()
  const random = numbers(7)
  const started = performance.now()
  let taken = 0
  for (let round = 0; round < 20_000; round++) {
    const bytes = whole.slice()
    for (let n = random(3); n >= 0; n--) bytes[8 + random(bytes.length - 8)] = random(4) === 0 ? 0xff : random(256)
    if (tryAll(bytes)) taken++
  }
  assert.ok(taken > 100 && taken < 19_000, `${taken} taken`)
  assert.ok(performance.now() - started < 60_000)
})

test('refuses a great number of nested blocks and of branches in good time', () => {
  const blocks = Array.from({ length: 4_000 }, () => [0x02, 0x40]).flat()
  const branches = Array.from({ length: 100_000 }, () => [0x41, 0, 0x0d, 0xa0, 0x1f]).flat()
  const ends = Array.from({ length: 4_000 }, () => 0x0b)
  const started = performance.now()
  assert.ok(meter(single([...blocks, ...branches, ...ends]), caps).length > 0)
  assert.ok(performance.now() - started < 10_000)
  assert.throws(() => decode(single([...blocks, ...blocks, ...ends, ...ends])), /nested/)
})

/** Whether `meter` takes it; anything but a refusal fails the test, and so does a metered module that is not valid. */
function tryAll(bytes: Uint8Array<ArrayBuffer>): boolean {
  vet(bytes, defaultPolicy)
  try {
    return WebAssembly.validate(meter(bytes, caps) as Uint8Array<ArrayBuffer>)
  } catch (error) {
    if (error instanceof ModuleRefusal) {
      assert.not.match(error.reason, /too large/)
      return false
    }
    throw error
  }
}

function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('knows where segments of data are put, as far as the module itself tells', () => {
  const memories = [[0, 1]]
  const bytes = [...text('abc')]
  const at = (...data: readonly (readonly number[])[]) => decode(single([], { memories, data })).data
  assert.equal(at(), { start: 0, end: 0 })
  assert.equal(at([0, ...i32(16), 0x0b, ...bytes]), { start: 16, end: 19 })
  assert.equal(at([0, ...i32(0), 0x0b, ...bytes]), { start: 0, end: 3 })
  assert.equal(at([2, 0, ...i32(16), 0x0b, ...bytes]), { start: 16, end: 19 }, 'with the memory named')
  assert.equal(at([0, ...i32(-8), 0x0b, ...bytes]), { start: 2 ** 32 - 8, end: 2 ** 32 - 5 }, 'without a sign')
  assert.equal(at([0, 0x41, 0x90, 0x80, 0x80, 0x80, 0x00, 0x0b, ...bytes]), { start: 16, end: 19 }, 'padded')
  assert.equal(at([0, ...i32(500), 0x0b, ...bytes], [0, ...i32(64), 0x0b, ...bytes]), { start: 64, end: 503 })
  assert.equal(at([0, ...i32(500), 0x0b, 0]), { start: 0, end: 0 }, 'of no bytes')
  assert.equal(at([1, ...bytes]), { start: 0, end: 0 }, 'only when its code asks')
  assert.is(at([0, 0x23, 0, 0x0b, ...bytes]), null, 'by a global')
  assert.is(at([0, ...i32(16), 0x0b, ...bytes], [0, 0x23, 0, 0x0b, ...bytes], [0, ...i32(16), 0x0b, ...bytes]), null)
})

test('reads signed numbers as the engine does', () => {
  for (const value of [
    0,
    1,
    -1,
    63,
    64,
    -64,
    -65,
    8191,
    8192,
    -8192,
    -8193,
    2 ** 27,
    -(2 ** 27),
    2 ** 31 - 1,
    -(2 ** 31),
  ])
    assert.is(new Reader(Uint8Array.from(i32(value)), 1).s32('a number'), value)
})

test.run()
