import type { Body, FunctionType, Instruction, Module, ValueType } from './module.js'
import { op, opcodes } from './opcodes.js'

/** Code that is paid for together, before any of it runs, at the byte `at`. */
export interface Segment {
  readonly at: number
  readonly parent?: Segment | undefined
  /** Runs again and again while its parent runs once. */
  readonly head: boolean
  /** Stands behind a branch or a trap: never runs. */
  readonly dead: boolean
  cost: number
  /** What of it is paid for by others' sakes. */
  carried: number
}

interface Label {
  readonly code: number
  readonly type: FunctionType
  readonly opener: Segment
  /** The outermost of the open blocks, counted from the function, that something within leaves for. */
  reach: number
}

export const ENTRY_COST = 10
/** On top of a call's: the host's work itself is outside of fuel. */
export const HOST_CALL_COST = 50
const SMALL = 20

/**
 * Cuts a function into segments. Every instruction belongs to one whose charge is always passed before it, once for
 * each time that it runs (or more often, never less): a function's start, a loop's head, an arm of an `if`, what stands
 * behind a conditional branch. What follows a block that nothing within leaves further out is paid for where the block
 * was entered. Small segments are paid for by the one before them, so that short branches cost no charge of their own.
 */
export function cutSegments(module: Module, body: Body, type: FunctionType): readonly Segment[] {
  const start = body.groups.end
  const entry: Segment = { at: start, head: true, dead: false, cost: ENTRY_COST + entryCost(body, type), carried: 0 }
  const segments = [entry]
  const labels: Label[] = [{ code: op.block, type, opener: entry, reach: 0 }]
  let current = entry
  const begin = (at: number, parent: Segment, is: { head?: boolean; dead?: boolean } = {}): void => {
    current = { at, parent, head: is.head ?? false, dead: parent.dead || (is.dead ?? false), cost: 0, carried: 0 }
    segments.push(current)
  }
  for (const instruction of body.instructions) {
    const { code, end } = instruction
    if (code === op.loop) begin(end, current, { head: true })
    current.cost += costOf(module, instruction, labels)
    leave(instruction, labels)
    if (code === op.block || code === op.loop || code === op.if) {
      const opener = code === op.loop ? (current.parent ?? current) : current
      labels.push({ code, type: blockType(module, instruction.block), opener, reach: Infinity })
      if (code === op.if) begin(end, current)
    } else if (code === op.else) begin(end, labels.at(-1)?.opener ?? current)
    else if (code === op.end) {
      const label = labels.pop()
      const outer = labels.at(-1)
      if (label === undefined || outer === undefined) break
      outer.reach = Math.min(outer.reach, label.reach)
      // What leaves for a block further out may skip what follows here.
      if (label.reach < labels.length) begin(end, label.opener)
      else current = label.opener
    } else if (code === op.brIf) begin(end, current)
    else if (stops.has(code)) begin(end, current, { dead: true })
  }
  return fold(segments)
}

const stops: ReadonlySet<number> = new Set([op.br, op.brTable, op.return, op.unreachable])

function leave({ code, labels: depths }: Instruction, labels: readonly Label[]): void {
  const innermost = labels.at(-1)
  if (innermost === undefined) return
  if (code === op.return) innermost.reach = 0
  if (depths !== undefined) innermost.reach = Math.min(innermost.reach, labels.length - 1 - Math.max(...depths))
}

function costOf(
  module: Module,
  { code, index = 0, block, labels: depths }: Instruction,
  labels: readonly Label[],
): number {
  const cost = opcodes.get(code)?.cost ?? 0
  if (code === op.call || code === op.callIndirect) {
    const type = code === op.call ? module.functions[index] : index
    const host = code === op.call && index < module.importedFunctions
    return cost + arity(module.types[type ?? 0]) + (host ? HOST_CALL_COST : 0)
  }
  if (typeof block === 'number') return cost + arity(module.types[block])
  if (code === op.return) return cost + (labels[0]?.type.results.length ?? 0)
  if (depths === undefined) return cost
  return cost + Math.max(...depths.map((depth) => moved(labels[labels.length - 1 - depth])))
}

function moved(label: Label | undefined): number {
  if (label === undefined) return 0
  return label.code === op.loop ? label.type.params.length : label.type.results.length
}

function arity(type: FunctionType | undefined): number {
  return type === undefined ? 0 : type.params.length + type.results.length
}

/** Locals are zeroed at each call. */
function entryCost({ locals }: Body, type: FunctionType): number {
  return arity(type) + (locals >> 2)
}

function blockType({ types }: Module, block: number | ValueType | undefined): FunctionType {
  if (typeof block === 'number') return types[block] ?? { params: [], results: [] }
  return { params: [], results: block === undefined ? [] : [block] }
}

/** A parent takes over small ones up to its own cost (or 40 units), so that never much more is paid than runs. */
function fold(segments: readonly Segment[]): readonly Segment[] {
  for (const segment of segments.toReversed()) {
    const { parent, head, dead } = segment
    const total = segment.cost + segment.carried
    if (parent === undefined || head || dead || total > SMALL) continue
    if (parent.carried + total > Math.max(40, parent.cost)) continue
    parent.carried += total
    segment.cost = 0
    segment.carried = 0
  }
  return segments.filter(({ cost, carried, dead }) => !dead && cost + carried > 0)
}
