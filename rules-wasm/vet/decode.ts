import { readBody } from './code.js'
import { ceilings } from './limits.js'
import type {
  Body,
  Export,
  Extent,
  FunctionReference,
  GlobalType,
  Import,
  Kind,
  Limits,
  Module,
  Section,
} from './module.js'
import { op, SIMD_PREFIX } from './opcodes.js'
import { Reader } from './reader.js'
import { ModuleRefusal } from './refusal.js'
import { readFunctionType, readLimits, readReferenceType, readValueType } from './types.js'

type Draft = { -readonly [Key in keyof Module]: Module[Key] extends readonly (infer Item)[] ? Item[] : Module[Key] }
type ReadEntry = (reader: Reader, module: Draft) => void

interface SectionRule {
  readonly id: number
  readonly name: string
  /** Absent where the section is not a vector. */
  readonly most?: number
  readonly read: ReadEntry
}

const kinds: readonly Kind[] = ['function', 'table', 'memory', 'global']

/**
 * Reads a module of the accepted set: WebAssembly 1.0, sign extension, saturating conversions, several values, bulk
 * memory, mutable globals, reference types, SIMD. It refuses all else (`ModuleRefusal`), and leaves to the engine
 * what types and indices within code are (`WebAssembly.validate`).
 */
export function decode(bytes: Uint8Array): Module {
  const reader = new Reader(bytes)
  const header = reader.part(8, 'the header')
  if (!magic.every((byte, n) => bytes[n] === byte))
    throw new ModuleRefusal('is not WebAssembly of version 1', header.at)
  const module = emptyModule(bytes)
  let last = -1
  while (!reader.done) {
    const start = reader.at
    const id = reader.byte('a section')
    const part = reader.part(reader.u32('the size of a section'), `section ${id}`)
    if (module.sections.length >= ceilings.sections) throw new ModuleRefusal('has too many sections', start)
    if (id === 0) {
      readCustom(part, module)
      continue
    }
    const place = sectionRules.findIndex((rule) => rule.id === id)
    const rule = sectionRules[place]
    if (rule === undefined) throw new ModuleRefusal(`has a section ${id}, which is not accepted`, start)
    if (place <= last) throw new ModuleRefusal(`has a second or misplaced ${rule.name} section`, start)
    last = place
    readSection(part, module, rule)
  }
  checkWhole(module)
  return module
}

const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

/** In the order in which they stand in a module. */
const sectionRules: readonly SectionRule[] = [
  { id: 1, name: 'type', most: ceilings.types, read: (reader, { types }) => types.push(readFunctionType(reader)) },
  { id: 2, name: 'import', most: ceilings.imports, read: readImport },
  { id: 3, name: 'function', most: ceilings.functions, read: readFunction },
  { id: 4, name: 'table', most: ceilings.tables, read: (reader, { tables }) => tables.push(readTable(reader)) },
  {
    id: 5,
    name: 'memory',
    most: ceilings.memories,
    read: (reader, { memories }) => memories.push(readLimits(reader, 'memory')),
  },
  { id: 6, name: 'global', most: ceilings.globals, read: readGlobal },
  { id: 7, name: 'export', most: ceilings.exports, read: readExport },
  { id: 8, name: 'start', read: (reader, module) => (module.start = readReference(reader, module)) },
  { id: 9, name: 'element', most: ceilings.elements, read: readElement },
  { id: 12, name: 'data count', read: (reader) => reader.u32('the number of data segments') },
  { id: 10, name: 'code', most: ceilings.functions, read: (reader, { bodies }) => bodies.push(readBody(reader)) },
  { id: 11, name: 'data', most: ceilings.data, read: readData },
]

function readSection(reader: Reader, module: Draft, { id, name, most, read }: SectionRule): void {
  const { at: start, end } = reader
  const count = most === undefined ? 1 : reader.count(`entries of the ${name} section`, most)
  const section: Section = { id, start, end, entries: reader.at, count }
  for (let n = 0; n < count; n++) read(reader, module)
  reader.finish(`the ${name} section`)
  module.sections.push(section)
}

function readCustom(reader: Reader, module: Draft): void {
  const { at: start, end } = reader
  reader.text('the name of a custom section')
  module.sections.push({ id: 0, start, end, entries: reader.at, count: 1 })
}

function readImport(reader: Reader, module: Draft): void {
  const start = reader.at
  const names = { module: reader.text('the module of an import'), name: reader.text('the name of an import') }
  const kind = readKind(reader, 'an import')
  let type: number | undefined
  if (kind === 'function') module.functions.push((type = readTypeIndex(reader, module)))
  else if (kind === 'table') module.tables.push(readTable(reader))
  else if (kind === 'memory') module.memories.push(readLimits(reader, 'memory'))
  else module.globals.push(readGlobalType(reader))
  module.importedFunctions = module.functions.length
  module.imports.push({ ...names, kind, ...(type !== undefined && { type }), start, end: reader.at } satisfies Import)
}

function readKind(reader: Reader, what: string): Kind {
  const at = reader.at
  const byte = reader.byte(`the kind of ${what}`)
  const kind = kinds[byte]
  if (kind !== undefined) return kind
  throw new ModuleRefusal(
    `has ${what} of ${byte === 4 ? 'an exception tag' : `kind ${byte}`}, which is not accepted`,
    at,
  )
}

function readFunction(reader: Reader, module: Draft): void {
  module.functions.push(readTypeIndex(reader, module))
}

function readTypeIndex(reader: Reader, { types }: Draft): number {
  const at = reader.at
  const index = reader.u32('the type of a function')
  if (index >= types.length) throw new ModuleRefusal(`names the type ${index}, which it does not have`, at)
  return index
}

function readTable(reader: Reader): Limits {
  readReferenceType(reader)
  return readLimits(reader, 'table')
}

function readGlobalType(reader: Reader): GlobalType {
  const type = readValueType(reader, 'a type of global')
  const at = reader.at
  const flags = reader.byte('a global')
  if (flags > 1) throw new ModuleRefusal('has a global that is shared or of an unknown kind', at)
  return { type, isMutable: flags === 1 }
}

function readGlobal(reader: Reader, module: Draft): void {
  module.globals.push(readGlobalType(reader))
  readConstant(reader, module)
}

function readExport(reader: Reader, module: Draft): void {
  const name = reader.text('the name of an export')
  const kind = readKind(reader, 'an export')
  const start = reader.at
  const index = kind === 'function' ? readReference(reader, module).index : reader.u32('the index of an export')
  module.exports.push({ name, kind, index, start, end: reader.at } satisfies Export)
}

function readReference(reader: Reader, module: Draft): FunctionReference {
  const start = reader.at
  const index = reader.u32('a function')
  if (index >= module.functions.length)
    throw new ModuleRefusal(`names the function ${index}, which it does not have`, start)
  const reference = { index, start, end: reader.at }
  module.references.push(reference)
  return reference
}

/** `ref.null` 0xd0, `global.get` 0x23, constants; all else that newer versions allow here is refused. Answers what an i32 is worth. */
function readConstant(reader: Reader, module: Draft): number | undefined {
  const at = reader.at
  const code = reader.byte('a constant')
  let value: number | undefined
  if (code === 0x41) value = reader.s32('an i32')
  else if (code === 0x42) reader.skipSigned(64, 'an i64')
  else if (code === 0x43) reader.skip(4, 'an f32')
  else if (code === 0x44) reader.skip(8, 'an f64')
  else if (code === 0x23) reader.u32('a global')
  else if (code === 0xd0) readReferenceType(reader)
  else if (code === op.refFunc) readReference(reader, module)
  else if (code === SIMD_PREFIX && reader.u32('an opcode') === 0x0c) {
    reader.skip(16, 'a v128')
    module.usesSimd = true
  } else throw new ModuleRefusal('has a constant expression that is not accepted', at)
  if (reader.byte('a constant') !== op.end)
    throw new ModuleRefusal('has a constant expression that is not accepted', at)
  return value
}

/** Of the eight forms (core specification, 5.5.12): bit 0 not active, bit 1 a table or a declaration, bit 2 expressions. */
function readElement(reader: Reader, module: Draft): void {
  const at = reader.at
  const flags = reader.u32('a segment of elements')
  if (flags > 7) throw new ModuleRefusal(`has a segment of elements of kind ${flags}, which is not accepted`, at)
  const active = (flags & 1) === 0
  if (active && (flags & 2) !== 0) reader.u32('a table')
  if (active) readConstant(reader, module)
  const expressions = (flags & 4) !== 0
  if ((flags & 3) !== 0) readElementKind(reader, expressions)
  const count = reader.count('elements', ceilings.elementItems)
  for (let n = 0; n < count; n++) {
    if (expressions) readConstant(reader, module)
    else readReference(reader, module)
  }
}

function readElementKind(reader: Reader, expressions: boolean): void {
  const at = reader.at
  if (expressions) readReferenceType(reader)
  else if (reader.byte('a kind of element') !== 0) throw new ModuleRefusal('has elements of an unknown kind', at)
}

function readData(reader: Reader, module: Draft): void {
  const at = reader.at
  const flags = reader.u32('a data segment')
  if (flags > 2) throw new ModuleRefusal(`has a data segment of kind ${flags}, which is not accepted`, at)
  if (flags === 2 && reader.u32('a memory') !== 0) throw new ModuleRefusal('names a second memory', at)
  const isActive = flags !== 1
  const offset = isActive ? readConstant(reader, module) : undefined
  const length = reader.u32('the size of a data segment')
  reader.skip(length, 'a data segment')
  if (isActive && length > 0) module.data = around(module.data, offset, length)
}

function around(known: Extent | null, offset: number | undefined, length: number): Extent | null {
  if (known === null || offset === undefined) return null
  const start = offset >>> 0
  const end = start + length
  return known.end === 0 ? { start, end } : { start: Math.min(known.start, start), end: Math.max(known.end, end) }
}

/** What the parts say of one another. */
function checkWhole(module: Draft): void {
  const { bodies, functions, importedFunctions, memories, tables, bytes } = module
  const end = bytes.length
  if (bodies.length !== functions.length - importedFunctions)
    throw new ModuleRefusal('has other functions than bodies of functions', end)
  if (memories.length > ceilings.memories) throw new ModuleRefusal('has a second memory', end)
  if (tables.length > ceilings.tables) throw new ModuleRefusal(`has over ${ceilings.tables} tables`, end)
  for (const body of bodies) checkBody(body, module)
}

function checkBody({ instructions }: Body, module: Draft): void {
  for (const { code, index = 0, block, start } of instructions) {
    if (code >= SIMD_PREFIX * 0x100) module.usesSimd = true
    const callee = code === op.call || code === op.refFunc
    if (callee && index >= module.functions.length)
      throw new ModuleRefusal(`names the function ${index}, which it does not have`, start)
    const type = code === op.callIndirect ? index : typeof block === 'number' ? block : 0
    if (type > 0 && type >= module.types.length)
      throw new ModuleRefusal(`names the type ${type}, which it does not have`, start)
  }
}

function emptyModule(bytes: Uint8Array): Draft {
  const none = (): never[] => []
  const lists = {
    sections: none(),
    types: none(),
    imports: none(),
    functions: none(),
    tables: none(),
    memories: none(),
  }
  const more = { globals: none(), exports: none(), references: none(), bodies: none() }
  return {
    bytes,
    ...lists,
    ...more,
    importedFunctions: 0,
    usesSimd: false,
    start: undefined,
    data: { start: 0, end: 0 },
  }
}
