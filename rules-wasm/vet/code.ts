import { ceilings } from './limits.js'
import type { Body, Instruction, ValueType } from './module.js'
import { type Immediate, NUMERIC_PREFIX, op, opcodes, prefixed, SIMD_PREFIX } from './opcodes.js'
import type { Reader } from './reader.js'
import { ModuleRefusal } from './refusal.js'
import { readReferenceType, readValueType, valueTypeOf } from './types.js'

type Parts = Omit<Instruction, 'code' | 'start' | 'end'>

/** One entry of the code section, whose blocks are seen to be closed. */
export function readBody(reader: Reader): Body {
  const start = reader.at
  const length = reader.u32('the size of a function')
  const part = reader.part(length, 'a function')
  const count = part.count('groups of locals', ceilings.localGroups)
  const groups = part.at
  let locals = 0
  for (let n = 0; n < count; n++) {
    const at = part.at
    locals += part.u32('a number of locals')
    readValueType(part, 'a type of local')
    if (locals > ceilings.locals) throw new ModuleRefusal(`has a function of over ${ceilings.locals} locals`, at)
  }
  const end = part.at
  const instructions = readInstructions(part)
  return { groups: { count, start: groups, end }, locals, instructions, start, end: part.end }
}

function readInstructions(reader: Reader): Instruction[] {
  const instructions: Instruction[] = []
  /** For each open block whether `else` may come. */
  const open = [false]
  while (open.length > 0) {
    const instruction = readInstruction(reader)
    const { code, start, labels } = instruction
    instructions.push(instruction)
    for (const label of labels ?? []) {
      if (label >= open.length) throw new ModuleRefusal('has a branch to a block that is not open', start)
    }
    if (code === op.block || code === op.loop || code === op.if) open.push(code === op.if)
    else if (code === op.else) {
      if (open.pop() !== true) throw new ModuleRefusal('has an else without its if', start)
      open.push(false)
    } else if (code === op.end) open.pop()
    if (open.length > ceilings.nesting)
      throw new ModuleRefusal(`has blocks nested over ${ceilings.nesting} deep`, start)
  }
  reader.finish('a function')
  return instructions
}

/** The next instruction, or a refusal: there is no opcode whose length is guessed. */
export function readInstruction(reader: Reader): Instruction {
  const start = reader.at
  const first = reader.byte('code')
  const code = first === NUMERIC_PREFIX || first === SIMD_PREFIX ? readPrefixed(reader, first) : first
  const opcode = opcodes.get(code)
  if (opcode === undefined)
    throw new ModuleRefusal(`has the instruction 0x${code.toString(16)}, which is not accepted`, start)
  const { labels, block, index } = immediates[opcode.immediate](reader)
  return { code, start, end: reader.at, labels, block, index }
}

function readPrefixed(reader: Reader, prefix: number): number {
  const start = reader.at
  const sub = reader.u32('an opcode')
  if (sub > 0xff)
    throw new ModuleRefusal(`has the instruction 0x${prefix.toString(16)} ${sub}, which is not accepted`, start)
  return prefixed(prefix, sub)
}

const nothing: Parts = {}

const immediates: Readonly<Record<Immediate, (reader: Reader) => Parts>> = {
  none: () => nothing,
  block: (reader) => ({ block: readBlockType(reader) }),
  label: (reader) => ({ labels: [reader.u32('a label')] }),
  labels: (reader) => ({ labels: readLabels(reader) }),
  function: (reader) => ({ index: reader.u32('a function') }),
  indirect: (reader) => readPair(reader, 'a type and a table'),
  index: (reader) => ({ index: reader.u32('an index') }),
  indexes: (reader) => readPair(reader, 'a pair of indices'),
  address: (reader) => readAddress(reader),
  memory: (reader) => readMemory(reader),
  memories: (reader) => ({ ...readMemory(reader), ...readMemory(reader) }),
  i32: (reader) => walk(() => reader.skipSigned(32, 'an i32')),
  i64: (reader) => walk(() => reader.skipSigned(64, 'an i64')),
  f32: (reader) => walk(() => reader.skip(4, 'an f32')),
  f64: (reader) => walk(() => reader.skip(8, 'an f64')),
  bytes16: (reader) => walk(() => reader.skip(16, 'a v128')),
  lane: (reader) => walk(() => reader.skip(1, 'a lane')),
  addressLane: (reader) => ({ ...readAddress(reader), ...walk(() => reader.skip(1, 'a lane')) }),
  data: (reader) => ({ index: reader.u32('a data segment'), ...readMemory(reader) }),
  reference: (reader) => walk(() => readReferenceType(reader)),
  types: (reader) => {
    const count = reader.count('types of a select', 1)
    if (count !== 1) throw new ModuleRefusal('has a select of no type', reader.at)
    return walk(() => readValueType(reader, 'a type of value'))
  },
}

function walk(step: () => unknown): Parts {
  step()
  return nothing
}

function readBlockType(reader: Reader): number | ValueType | undefined {
  const byte = reader.bytes[reader.at] ?? 0
  if (byte === 0x40 || valueTypeOf(byte) !== undefined) {
    reader.byte('a type of block')
    return valueTypeOf(byte)
  }
  const start = reader.at
  reader.skipSigned(33, 'a type of block')
  if (((reader.bytes[reader.at - 1] ?? 0) & 0x40) !== 0) throw new ModuleRefusal('has an unknown type of block', start)
  let index = 0
  for (let at = start; at < reader.at; at++) index += ((reader.bytes[at] ?? 0) & 0x7f) * 2 ** (7 * (at - start))
  return index
}

function readLabels(reader: Reader): number[] {
  const labels: number[] = []
  for (let left = reader.count('labels', ceilings.labels); left >= 0; left--) labels.push(reader.u32('a label'))
  return labels
}

function readPair(reader: Reader, what: string): Parts {
  const index = reader.u32(what)
  reader.u32(what)
  return { index }
}

/** Alignments of 64 and more are flags of other proposals (a memory's index, atomics). */
function readAddress(reader: Reader): Parts {
  const start = reader.at
  if (reader.u32('an alignment') > 4) throw new ModuleRefusal('has an alignment that is not accepted', start)
  reader.u32('an offset')
  return {}
}

function readMemory(reader: Reader): Parts {
  const start = reader.at
  if (reader.byte('a memory') !== 0) throw new ModuleRefusal('names a second memory', start)
  return {}
}
