/** What follows an opcode. */
export type Immediate =
  | 'none'
  | 'block'
  | 'label'
  | 'labels'
  | 'function'
  | 'indirect'
  | 'index'
  | 'indexes'
  | 'address'
  | 'memory'
  | 'memories'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'bytes16'
  | 'lane'
  | 'addressLane'
  | 'data'
  | 'reference'
  | 'types'

export interface Opcode {
  readonly immediate: Immediate
  /** Units of fuel, without what depends on lengths and arities. */
  readonly cost: number
}

type Row = readonly [from: number, to: number, immediate: Immediate, cost: number]

/** Above these stand the two-byte opcodes; `0xfc 0x08` is `0xfc00 + 8`. SIMD's own numbers end at 255. */
export const NUMERIC_PREFIX = 0xfc
export const SIMD_PREFIX = 0xfd
export const prefixed = (prefix: number, sub: number): number => prefix * 0x100 + sub

export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  refFunc: 0xd2,
  memoryInit: 0xfc08,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
  tableInit: 0xfc0c,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableFill: 0xfc11,
} as const

/** Every opcode that is accepted, once. What is not written here is refused. */
const rows: readonly Row[] = [
  [0x00, 0x00, 'none', 1], // unreachable
  [0x01, 0x01, 'none', 0], // nop
  [0x02, 0x02, 'block', 0],
  [0x03, 0x04, 'block', 1], // loop, if
  [0x05, 0x05, 'none', 0], // else
  [0x0b, 0x0b, 'none', 0], // end
  [0x0c, 0x0d, 'label', 1], // br, br_if
  [0x0e, 0x0e, 'labels', 3], // br_table
  [0x0f, 0x0f, 'none', 1], // return
  [0x10, 0x10, 'function', 5], // call
  [0x11, 0x11, 'indirect', 8], // call_indirect
  [0x1a, 0x1b, 'none', 1], // drop, select
  [0x1c, 0x1c, 'types', 1], // select t
  [0x20, 0x24, 'index', 1], // local.get, .set, .tee, global.get, .set
  [0x25, 0x25, 'index', 8], // table.get
  [0x26, 0x26, 'index', 100], // table.set
  [0x28, 0x3e, 'address', 4], // loads and stores
  [0x3f, 0x3f, 'memory', 1], // memory.size
  [0x40, 0x40, 'memory', 4000], // memory.grow
  [0x41, 0x41, 'i32', 1],
  [0x42, 0x42, 'i64', 1],
  [0x43, 0x43, 'f32', 1],
  [0x44, 0x44, 'f64', 1],
  [0x45, 0x6c, 'none', 1], // comparisons, i32 arithmetic
  [0x6d, 0x70, 'none', 8], // i32 division
  [0x71, 0x7e, 'none', 1],
  [0x7f, 0x82, 'none', 8], // i64 division
  [0x83, 0x8c, 'none', 1],
  [0x8d, 0x91, 'none', 4], // f32 rounding, square root
  [0x92, 0x94, 'none', 1],
  [0x95, 0x97, 'none', 4], // f32 division, min, max
  [0x98, 0x9a, 'none', 1],
  [0x9b, 0x9f, 'none', 4], // f64 rounding, square root
  [0xa0, 0xa2, 'none', 1],
  [0xa3, 0xa5, 'none', 4], // f64 division, min, max
  [0xa6, 0xa7, 'none', 1],
  [0xa8, 0xbf, 'none', 2], // conversions
  [0xc0, 0xc4, 'none', 1], // sign extension
  [0xd0, 0xd0, 'reference', 1], // ref.null
  [0xd1, 0xd1, 'none', 1], // ref.is_null
  [0xd2, 0xd2, 'function', 8], // ref.func
  [0xfc00, 0xfc07, 'none', 4], // saturating truncation
  [0xfc08, 0xfc08, 'data', 40], // memory.init
  [0xfc09, 0xfc09, 'index', 8], // data.drop
  [0xfc0a, 0xfc0a, 'memories', 40], // memory.copy
  [0xfc0b, 0xfc0b, 'memory', 40], // memory.fill
  [0xfc0c, 0xfc0c, 'indexes', 100], // table.init
  [0xfc0d, 0xfc0d, 'index', 8], // elem.drop
  [0xfc0e, 0xfc0e, 'indexes', 100], // table.copy
  [0xfc0f, 0xfc0f, 'index', 1000], // table.grow
  [0xfc10, 0xfc10, 'index', 1], // table.size
  [0xfc11, 0xfc11, 'index', 100], // table.fill
  [0xfd00, 0xfd0b, 'address', 4], // v128 loads and store
  [0xfd0c, 0xfd0c, 'bytes16', 2], // v128.const
  [0xfd0d, 0xfd0d, 'bytes16', 4], // i8x16.shuffle
  [0xfd0e, 0xfd14, 'none', 2], // swizzle, splats
  [0xfd15, 0xfd22, 'lane', 2],
  [0xfd23, 0xfd53, 'none', 2], // comparisons, bitwise
  [0xfd54, 0xfd5b, 'addressLane', 5],
  [0xfd5c, 0xfd5d, 'address', 4], // v128.load32_zero, load64_zero
  [0xfd5e, 0xfd99, 'none', 4],
  [0xfd9b, 0xfda1, 'none', 4],
  [0xfda3, 0xfda4, 'none', 4],
  [0xfda7, 0xfdae, 'none', 4],
  [0xfdb1, 0xfdb1, 'none', 4],
  [0xfdb5, 0xfdba, 'none', 6],
  [0xfdbc, 0xfdc1, 'none', 4],
  [0xfdc3, 0xfdc4, 'none', 4],
  [0xfdc7, 0xfdce, 'none', 4],
  [0xfdd1, 0xfdd1, 'none', 4],
  [0xfdd5, 0xfde1, 'none', 8], // i64x2 multiplication, f32x4
  [0xfde3, 0xfded, 'none', 8],
  [0xfdef, 0xfdff, 'none', 8],
]

export const opcodes: ReadonlyMap<number, Opcode> = new Map(
  rows.flatMap(([from, to, immediate, cost]) =>
    Array.from({ length: to - from + 1 }, (_, n): [number, Opcode] => [from + n, { immediate, cost }]),
  ),
)
