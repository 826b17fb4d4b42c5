import { op } from './opcodes.js'
import { Writer } from './writer.js'

/** How a length is charged: bytes 16 a unit, elements of tables 32 units each, pages as the bytes that they hold. */
const shifts = {
  bytes: { opcode: 0x88, by: 4n },
  elements: { opcode: 0x86, by: 5n },
  pages: { opcode: 0x86, by: 12n },
} as const

export type HelperName = keyof typeof shifts

export const helpers: readonly HelperName[] = ['bytes', 'elements', 'pages']

/** The instructions that take as long as the number on top of the stack says. */
export const lengthHelpers: ReadonlyMap<number, HelperName> = new Map<number, HelperName>([
  [op.memoryInit, 'bytes'],
  [op.memoryCopy, 'bytes'],
  [op.memoryFill, 'bytes'],
  [op.memoryGrow, 'pages'],
  [op.tableInit, 'elements'],
  [op.tableCopy, 'elements'],
  [op.tableGrow, 'elements'],
  [op.tableFill, 'elements'],
])

/** Code that takes `cost` from the fuel and traps below zero. Leaves the stack as it was; uses the local `spare`, an i64. */
export function chargeStatic(fuel: number, spare: number, cost: number): Uint8Array {
  const out = new Writer(40).byte(0x23).u32(fuel).byte(0x42).s64(BigInt(cost))
  return settle(out, fuel, spare).done()
}

/** The body of a function from a length to the same length, which takes what the length costs from the fuel. */
export function chargeLength(fuel: number, name: HelperName): Uint8Array {
  const { opcode, by } = shifts[name]
  const out = new Writer(48).byte(1, 1, 0x7e, 0x23).u32(fuel)
  // local.get 0, i64.extend_i32_u, i64.const, i64.shr_u or i64.shl
  out.byte(0x20, 0, 0xad, 0x42).s64(by).byte(opcode)
  return settle(out, fuel, 1).byte(0x20, 0, op.end).done()
}

/** On the stack are the fuel and what it costs: i64.sub, local.tee, global.set, local.get, i64.const 0, i64.lt_s, if. */
function settle(out: Writer, fuel: number, spare: number): Writer {
  out.byte(0x7d, 0x22).u32(spare).byte(0x24).u32(fuel).byte(0x20).u32(spare)
  return out.byte(0x42, 0, 0x53, op.if, 0x40, op.unreachable, op.end)
}
