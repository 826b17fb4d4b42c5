import { decode } from './decode.js'
import { chargeLength, chargeStatic, helpers, type HelperName, lengthHelpers } from './charge.js'
import { FUEL_EXPORT, RESTORE_EXPORTS } from './exports.js'
import type { Body, Limits, Module, Section } from './module.js'
import { op } from './opcodes.js'
import { ModuleRefusal } from './refusal.js'
import { Reader } from './reader.js'
import { cutSegments, ENTRY_COST, HOST_CALL_COST } from './segments.js'
import { type Caps, checkStructure } from './structure.js'
import {
  growBody,
  isRestorable,
  isTracked,
  steadyEdit,
  trackingLocals,
  type Tracks,
  trackWrite,
  widenBody,
} from './track.js'
import { type Edit, Writer } from './writer.js'

export interface MeterOptions extends Caps {
  /** What a start function may use at instantiation. Before each call the host sets the fuel anew. */
  readonly startFuel: bigint
  /**
   * Whether the host shall be able to put an instance back as it was: then it exports its memory, what its variables hold, and where
   * it has written (`RESTORE_EXPORTS`). A module that changes what is neither memory nor variable exports none of them.
   */
  readonly restore?: boolean
  /**
   * With `restore`: whether a memory has all its pages from the start, and is only counted as growing, since it could not shrink
   * again. What lies behind the size that the module sees is then there: reading it gives zeros instead of a trap.
   */
  readonly steady?: boolean
}

/** Part of the key under which a metered module may be kept: it changes whenever the same bytes would come out otherwise. */
export const METER_VERSION = 1

/**
 * Rewrites a module so that all of its work is paid for out of one mutable i64 global, exported as `gatehouse_fuel`:
 * when it falls below zero the module traps, and stays so until the host sets it. The module itself cannot name the
 * global. Maxima of memory and tables are set. Indices keep their meaning, since all that is added stands behind them.
 * The same bytes and options give the same bytes. Throws `ModuleRefusal` alone.
 */
export function meter(bytes: Uint8Array, options: MeterOptions): Uint8Array {
  const module = decode(bytes)
  const [problem] = checkStructure(module, options)
  if (problem !== undefined) throw new ModuleRefusal(problem.message, problem.offset ?? 0)
  if (!isValid(bytes)) throw new ModuleRefusal('is not valid WebAssembly', 0)
  const metered = rewrite(module, options)
  if (!isValid(metered)) throw new ModuleRefusal('is too large to be metered', bytes.length)
  return metered
}

/**
 * Meters a module of the host's own, such as an interpreter: it may import what it likes, so nothing is checked but that the
 * result is valid. An imported memory is as large as the host makes it.
 */
export function meterOwn(bytes: Uint8Array, options: MeterOptions): Uint8Array {
  const metered = rewrite(decode(bytes), options)
  if (!isValid(metered)) throw new ModuleRefusal('is not valid once metered', 0)
  return metered
}

/** The rewriting alone, of a module that is known to be valid and to hold nothing that it cannot meter. */
export function rewrite(module: Module, options: MeterOptions, cut: typeof cutSegments = cutSegments): Uint8Array {
  return write({ ...planOf(module, options), cut })
}

const isValid = (bytes: Uint8Array): boolean => WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)

interface Plan {
  readonly module: Module
  readonly options: MeterOptions
  /** How functions are cut into what is paid for together. */
  readonly cut: typeof cutSegments
  /** The index of the fuel's global. */
  readonly fuel: number
  /** Which imported functions are used as values, by the index of what stands for them then. */
  readonly wrappers: ReadonlyMap<number, number>
  /** The index of the function that charges by a length. */
  readonly helpers: ReadonlyMap<HelperName, number>
  /** Absent when nothing is to be put back, or it cannot be. */
  readonly tracks?: Tracks
}

function planOf(module: Module, options: MeterOptions): Omit<Plan, 'cut'> {
  const { references, bodies, functions, importedFunctions } = module
  const asValues = new Set(references.map(({ index }) => index))
  const used = new Set<HelperName>()
  for (const { instructions } of bodies) {
    for (const { code, index } of instructions) {
      if (code === op.refFunc && index !== undefined) asValues.add(index)
      const helper = lengthHelpers.get(code)
      if (helper !== undefined) used.add(helper)
    }
  }
  const imported = [...asValues].filter((index) => index < importedFunctions).toSorted((a, b) => a - b)
  const wrappers = new Map(imported.map((index, n) => [index, functions.length + n]))
  const names = helpers.filter((name) => used.has(name))
  const behind = functions.length + imported.length
  return {
    module,
    options,
    fuel: module.globals.length,
    wrappers,
    helpers: new Map(names.map((name, n) => [name, behind + n])),
    ...(options.restore === true &&
      isRestorable(module) && { tracks: tracksOf(module, behind + names.length, options.steady === true) }),
  }
}

function tracksOf({ globals, memories }: Module, widen: number, isSteady: boolean): Tracks {
  const [low, span, size] = [globals.length + 1, globals.length + 2, globals.length + 3]
  return { low, span, widen, ...(isSteady && memories.length > 0 && { size, grow: widen + 1 }) }
}

/** What is added to a section: entries behind its own, and edits within. */
interface Change {
  readonly added?: readonly Uint8Array[]
  readonly edits?: readonly Edit[]
}

const order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]
const vectors = new Set([1, 3, 4, 5, 6, 7, 9])

function write(plan: Plan): Uint8Array {
  const { module } = plan
  const out = new Writer(module.bytes.length * 2).bytes(module.bytes.subarray(0, 8))
  const changes = changesOf(plan)
  for (const id of order) {
    const section = module.sections.find((entry) => entry.id === id)
    const payload = id === 10 ? writeCode(plan) : writeSection(module, section, changes.get(id) ?? {})
    if (payload !== undefined) out.byte(id).u32(payload.length).bytes(payload)
  }
  const names = module.sections.find((section) => section.id === 0 && isNames(module, section))
  if (names !== undefined)
    out
      .byte(0)
      .u32(names.end - names.start)
      .bytes(module.bytes.subarray(names.start, names.end))
  return out.done()
}

function isNames({ bytes }: Module, { start, end }: Section): boolean {
  return new Reader(bytes, start, end).text('the name of a custom section') === 'name'
}

function writeSection(module: Module, section: Section | undefined, change: Change): Uint8Array | undefined {
  const { added = [], edits = [] } = change
  if (section === undefined && added.length === 0) return undefined
  const { id = 1, start = 0, end = 0, entries = 0, count = 0 } = section ?? {}
  const out = new Writer()
  if (vectors.has(id)) out.u32(count + added.length).copy(module.bytes, [entries, end], edits)
  else out.copy(module.bytes, [start, end], edits)
  for (const entry of added) out.bytes(entry)
  return out.done()
}

function changesOf(plan: Plan): ReadonlyMap<number, Change> {
  const { module, options, fuel, wrappers, helpers: charging, tracks } = plan
  const helperType = module.types.length
  const types = [
    ...[...wrappers.keys()].map((index) => module.functions[index] ?? 0),
    ...[...charging.keys()].map(() => helperType),
    ...(tracks ? [helperType + 1] : []),
    ...(tracks?.grow === undefined ? [] : [helperType]),
  ]
  const within = (id: number): readonly Edit[] => {
    const { start = 0, end = 0 } = module.sections.find((section) => section.id === id) ?? {}
    return referenceEdits(plan).filter(({ at }) => at >= start && at < end)
  }
  const exported = new Writer().text(FUEL_EXPORT).byte(3).u32(fuel).done()
  const global = new Writer().byte(0x7e, 1, 0x42).s64(options.startFuel).byte(op.end).done()
  return new Map<number, Change>([
    [1, { added: charging.size > 0 || tracks ? [lengthType, ...(tracks ? [addressType] : [])] : [] }],
    [3, { added: types.map((type) => new Writer(8).u32(type).done()) }],
    [4, { edits: module.tables.map((limits) => capEdit(limits, options.tableElements)) }],
    [5, { edits: module.memories.map((limits) => capEdit(limits, options.memoryPages, tracks?.size !== undefined)) }],
    [6, { added: [global, ...(tracks ? trackGlobals(module, tracks) : [])], edits: within(6) }],
    [7, { added: [exported, ...(tracks ? restoreExports(module, tracks) : [])], edits: within(7) }],
    [8, { edits: within(8) }],
    [9, { edits: within(9) }],
  ])
}

/** (i32) -> i32, and (i32) -> (). */
const lengthType = Uint8Array.of(0x60, 1, 0x7f, 1, 0x7f)
const addressType = Uint8Array.of(0x60, 1, 0x7f, 0)
/** Variables i32: -1, 0, and the pages. */
function trackGlobals({ memories }: Module, { size }: Tracks): Uint8Array[] {
  const variable = (value: number) => new Writer(16).byte(0x7f, 1, 0x41).s64(BigInt(value)).byte(op.end).done()
  return [variable(-1), variable(0), ...(size === undefined ? [] : [variable(memories[0]?.initial ?? 0)])]
}

function restoreExports({ memories, globals }: Module, { low, span, size }: Tracks): Uint8Array[] {
  const exported = (name: string, kind: number, index: number) => new Writer().text(name).byte(kind).u32(index).done()
  const variables = globals.flatMap(({ isMutable }, n) => (isMutable ? [n] : []))
  return [
    ...memories.map((_, n) => exported(RESTORE_EXPORTS.memory, 2, n)),
    exported(RESTORE_EXPORTS.low, 3, low),
    exported(RESTORE_EXPORTS.span, 3, span),
    ...(size === undefined ? [] : [exported(RESTORE_EXPORTS.size, 3, size)]),
    ...variables.map((index, n) => exported(`${RESTORE_EXPORTS.variable}${n}`, 3, index)),
  ]
}

function referenceEdits({ module, wrappers }: Plan): Edit[] {
  return module.references.flatMap(({ index, start, end }) => {
    const wrapper = wrappers.get(index)
    return wrapper === undefined
      ? []
      : [{ at: start, removed: end - start, inserted: new Writer(8).u32(wrapper).done() }]
  })
}

const mostOf = ({ maximum = Infinity }: Limits, cap: number): number => Math.min(maximum, cap)

function capEdit(limits: Limits, cap: number, isSteady = false): Edit {
  const { initial, start, end } = limits
  const most = mostOf(limits, cap)
  const inserted = new Writer(16)
    .byte(1)
    .u32(isSteady ? most : initial)
    .u32(most)
    .done()
  return { at: start, removed: end - start, inserted }
}

function writeCode(plan: Plan): Uint8Array | undefined {
  const { module, wrappers, helpers: charging, tracks } = plan
  const count = module.bodies.length + wrappers.size + charging.size + (tracks ? 1 : 0) + (tracks?.grow ? 1 : 0)
  if (count === 0) return undefined
  const out = new Writer(module.bytes.length * 2).u32(count)
  const add = (body: Uint8Array) => out.u32(body.length).bytes(body)
  for (const [n, body] of module.bodies.entries()) add(writeBody(plan, body, module.importedFunctions + n))
  for (const index of wrappers.keys()) add(writeWrapper(plan, index))
  for (const name of charging.keys()) add(chargeLength(plan.fuel, name))
  if (tracks) add(widenBody(tracks))
  const [memory] = module.memories
  if (memory && tracks?.size !== undefined) add(growBody(tracks.size, mostOf(memory, plan.options.memoryPages)))
  return out.done()
}

/** One local more, behind the function's own, holds the fuel while it is tested; those of tracking stand behind it. */
function writeBody(plan: Plan, body: Body, index: number): Uint8Array {
  const { module, fuel, cut } = plan
  const { groups, locals, end } = body
  const type = module.types[module.functions[index] ?? 0] ?? { params: [], results: [] }
  const spare = type.params.length + locals
  const charges = cut(module, body, type).map(({ at, cost, carried }): Edit => ({
    at,
    removed: 0,
    inserted: chargeStatic(fuel, spare, cost + carried),
  }))
  const writes = trackEdits(plan, body, spare + 1)
  const edits = [...charges, ...instructionEdits(plan, body), ...writes].toSorted((a, b) => a.at - b.at)
  const more = [[1, 0x7e] as const, ...(writes.length > 0 ? trackingLocals(module) : [])]
  const out = new Writer((end - groups.start) * 2 + 64).u32(groups.count + more.length)
  out.copy(module.bytes, [groups.start, groups.end], []).byte(...more.flat())
  return out.copy(module.bytes, [groups.end, end], edits).done()
}

function trackEdits({ module, tracks }: Plan, { instructions }: Body, locals: number): Edit[] {
  if (tracks === undefined) return []
  return instructions
    .filter((instruction) => isTracked(instruction))
    .map((instruction) => ({
      at: instruction.start,
      removed: instruction.end - instruction.start,
      inserted: trackWrite(module.bytes, instruction, { ...tracks, locals }),
    }))
}

function instructionEdits({ wrappers, helpers: charging, tracks }: Plan, { instructions }: Body): Edit[] {
  return instructions.flatMap((instruction): Edit[] => {
    const { code, index, start, end } = instruction
    const steady = tracks && steadyEdit(instruction, tracks)
    const wrapper = code === op.refFunc ? wrappers.get(index ?? -1) : undefined
    if (wrapper !== undefined)
      return [{ at: start + 1, removed: end - start - 1, inserted: new Writer(8).u32(wrapper).done() }]
    const name = lengthHelpers.get(code)
    const helper = name && charging.get(name)
    const charge =
      helper === undefined ? [] : [{ at: start, removed: 0, inserted: new Writer(8).byte(op.call).u32(helper).done() }]
    return steady === undefined ? charge : [...charge, steady]
  })
}

/** An imported function as a value: charges as a direct call of it does, then calls it. */
function writeWrapper({ module, fuel }: Plan, index: number): Uint8Array {
  const { params = [], results = [] } = module.types[module.functions[index] ?? 0] ?? {}
  const cost = ENTRY_COST + HOST_CALL_COST + params.length + results.length
  const out = new Writer().byte(1, 1, 0x7e).bytes(chargeStatic(fuel, params.length, cost))
  for (const n of params.keys()) out.byte(0x20).u32(n)
  return out.byte(op.call).u32(index).byte(op.end).done()
}
