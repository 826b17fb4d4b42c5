import type { Instruction, Module, ValueType } from './module.js'
import { op, opcodes, prefixed, SIMD_PREFIX } from './opcodes.js'
import { Reader } from './reader.js'
import { type Edit, Writer } from './writer.js'

/** Where tracking keeps what it knows: indices of globals and of the functions that change them. */
export interface Tracks {
  readonly low: number
  readonly span: number
  readonly widen: number
  /** Of a memory that cannot shrink again, so that it never grows: how large the module believes it to be. */
  readonly size?: number
  readonly grow?: number
}

/**
 * Whether an instance can be put back as it was by its memory and numbers alone: it changes no table, drops no segment, and has no
 * variable that a host cannot read.
 */
export function isRestorable({ bodies, globals }: Module): boolean {
  const isPlain = globals.every(({ type, isMutable }) => !isMutable || (type !== 'v128' && !type.endsWith('ref')))
  return isPlain && bodies.every(({ instructions }) => instructions.every(({ code }) => !lasting.has(code)))
}

/** Those that change tables, and `data.drop`, `elem.drop`. */
const lasting: ReadonlySet<number> = new Set([
  0x26,
  0xfc09,
  0xfc0d,
  op.tableInit,
  op.tableCopy,
  op.tableGrow,
  op.tableFill,
])

const bulk: ReadonlySet<number> = new Set([op.memoryInit, op.memoryCopy, op.memoryFill])

/** The type of what an instruction stores, by its opcode. */
const stores: ReadonlyMap<number, ValueType> = new Map<number, ValueType>([
  [0x36, 'i32'],
  [0x37, 'i64'],
  [0x38, 'f32'],
  [0x39, 'f64'],
  [0x3a, 'i32'],
  [0x3b, 'i32'],
  [0x3c, 'i64'],
  [0x3d, 'i64'],
  [0x3e, 'i64'],
  [prefixed(SIMD_PREFIX, 0x0b), 'v128'],
  ...[0x58, 0x59, 0x5a, 0x5b].map((sub): [number, ValueType] => [prefixed(SIMD_PREFIX, sub), 'v128']),
])

export const isTracked = ({ code }: Instruction): boolean => stores.has(code) || bulk.has(code)

/** What stands in the place of `memory.size` and `memory.grow` where the memory never grows. */
export function steadyEdit({ code, start, end }: Instruction, { size, grow }: Tracks): Edit | undefined {
  if (size === undefined || grow === undefined || (code !== op.memorySize && code !== op.memoryGrow)) return undefined
  const inserted = code === op.memorySize ? new Writer(8).byte(0x23).u32(size) : new Writer(8).byte(op.call).u32(grow)
  return { at: start, removed: end - start, inserted: inserted.done() }
}

/** The body of a function as `memory.grow`: it only counts. */
export function growBody(size: number, most: number): Uint8Array {
  const out = new Writer(64).byte(0, 0x20, 0, 0x41).s64(BigInt(most)).byte(0x23).u32(size)
  out.byte(0x6b, 0x4b, op.if, 0x40, 0x41, 0x7f, op.return, op.end)
  out.byte(0x23).u32(size).byte(0x23).u32(size).byte(0x20, 0, 0x6a, 0x24).u32(size)
  return out.byte(op.end).done()
}

/** The locals that tracking uses in one function, as groups of the binary format: an address, two numbers, a value of each type. */
export function trackingLocals({ usesSimd }: Module): readonly (readonly [count: number, type: number])[] {
  const values = [
    [1, 0x7e],
    [1, 0x7d],
    [1, 0x7c],
  ] as const
  return [[3, 0x7f], ...values, ...(usesSimd ? ([[1, 0x7b]] as const) : [])]
}

const valuePlaces: Partial<Record<ValueType, number>> = { i32: 1, i64: 3, f32: 4, f64: 5, v128: 6 }

/**
 * An instruction that writes to the memory, and behind it what tells where: once the write is done, `low` is at most its first byte and
 * `low + span` at least the first byte of its last part (at most 16 bytes). `locals` is the first of `trackingLocals`.
 */
export function trackWrite(
  bytes: Uint8Array,
  instruction: Instruction,
  at: Tracks & { readonly locals: number },
): Uint8Array {
  const { code, start, end } = instruction
  const { locals: address } = at
  const itself = bytes.subarray(start, end)
  const out = new Writer(64)
  const type = stores.get(code)
  if (type !== undefined) {
    const value = address + (valuePlaces[type] ?? 0)
    out.byte(0x21).u32(value).byte(0x22).u32(address).byte(0x20).u32(value).bytes(itself)
    return mark(out, offsetOf(bytes, instruction), at).done()
  }
  const [second, length] = [address + 1, address + 2]
  out.byte(0x21).u32(length).byte(0x21).u32(second).byte(0x22).u32(address)
  out.byte(0x20).u32(second).byte(0x20).u32(length).bytes(itself)
  mark(out, 0, at)
  out.byte(0x20).u32(address).byte(0x20).u32(length).byte(0x6a, 0x21).u32(address)
  return mark(out, 0, at).done()
}

/** local.get, [i32.const, i32.add, local.tee], global.get, i32.sub, global.get, i32.gt_u, if, local.get, call, end. */
function mark(out: Writer, offset: number, at: Tracks & { readonly locals: number }): Writer {
  out.byte(0x20).u32(at.locals)
  if (offset > 0)
    out
      .byte(0x41)
      .s64(BigInt(offset | 0))
      .byte(0x6a, 0x22)
      .u32(at.locals)
  out.byte(0x23).u32(at.low).byte(0x6b, 0x23).u32(at.span).byte(0x4b, op.if, 0x40)
  return out.byte(0x20).u32(at.locals).byte(op.call).u32(at.widen).byte(op.end)
}

function offsetOf(bytes: Uint8Array, { code, start, end }: Instruction): number {
  const reader = new Reader(bytes, start, end)
  reader.byte('code')
  if (code > 0xff) reader.u32('an opcode')
  if (!opcodes.get(code)?.immediate.startsWith('address')) return 0
  reader.u32('an alignment')
  return reader.u32('an offset')
}

/** The body of a function that takes an address into what is known: `low` is -1 until then. */
export function widenBody({ low, span }: Tracks): Uint8Array {
  const out = new Writer(64).byte(0)
  out.byte(0x23).u32(low).byte(0x41, 0x7f, 0x46, op.if, 0x40)
  out.byte(0x20, 0, 0x24).u32(low).byte(op.return, op.end)
  out.byte(0x20, 0, 0x23).u32(low).byte(0x49, op.if, 0x40)
  out.byte(0x23).u32(span).byte(0x23).u32(low).byte(0x20, 0, 0x6b, 0x6a, 0x24).u32(span).byte(0x20, 0, 0x24).u32(low)
  out.byte(op.else, 0x20, 0, 0x23).u32(low).byte(0x6b, 0x24).u32(span).byte(op.end)
  return out.byte(op.end).done()
}
