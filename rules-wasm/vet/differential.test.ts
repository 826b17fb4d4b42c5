// time-limit: 900
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGenerator } from './generator.fixture.js'
import { decode } from './decode.js'
import { rewrite } from './meter.js'
import type { Extent, Module } from './module.js'
import { op, opcodes } from './opcodes.js'
import { ModuleRefusal } from './refusal.js'
import { caps } from './run.fixture.js'
import { type cutSegments, ENTRY_COST, HOST_CALL_COST } from './segments.js'

/** More by `VET_FUZZ=5000`, others by `VET_SEED=<text>`. */
const count = Number(process.env['VET_FUZZ'] ?? 500)
const seed = process.env['VET_SEED'] ?? 'gatehouse'
const wide = { ...caps, startFuel: 10n ** 15n, restore: true }

/** What a module does, told in lines that two builds of it have in common. */
class Trace {
  readonly lines: string[] = []
  overflowed = false

  tell(line: string): void {
    if (this.lines.length < 100_000) this.lines.push(line)
  }

  fail(error: unknown): void {
    if (error instanceof RangeError) this.overflowed = true
    this.tell(error instanceof Error ? `${error.name}: ${error.message}` : 'something else')
  }
}

/** NaNs may differ in their bits, and functions in their names. */
function told(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return `[${value.map(told).join(' ')}]`
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  return `${typeof value} ${String(value)}`
}

function importsOf({ bytes, imports }: Module, trace: Trace): WebAssembly.Imports {
  const found: Record<string, Record<string, WebAssembly.ImportValue>> = {}
  for (const { module, name, kind, end } of imports) {
    const log = (...values: unknown[]) => {
      trace.tell(`${name} ${values.map(told).join(' ')}`)
      return 0
    }
    // An import of a global ends with its type and whether it is mutable.
    const value = kind === 'global' ? globalImport(bytes[end - 2] ?? 0, bytes[end - 1] === 1) : log
    ;(found[module] ??= {})[name] = value
  }
  return found
}

function globalImport(type: number, mutable: boolean): WebAssembly.Global {
  const names = { 0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64', 0x7b: 'v128', 0x70: 'anyfunc', 0x6f: 'externref' }
  const value = (names as Record<number, string>)[type] as WebAssembly.ValueType
  if (type === 0x7e) return new WebAssembly.Global({ value, mutable }, 42n)
  if (type === 0x70 || type === 0x6f) return new WebAssembly.Global({ value, mutable }, null as never)
  return type === 0x7b ? new WebAssembly.Global({ value, mutable }) : new WebAssembly.Global({ value, mutable }, 42)
}

function runAll(bytes: Uint8Array, source: Module): Trace & { fuel?: bigint } {
  const trace = new Trace()
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const exports = instantiate(module, importsOf(source, trace), trace)
  if (exports === undefined) return trace
  const fuel = exports['gatehouse_fuel'] as unknown as { value: bigint } | undefined
  checkStart(exports, source.data)
  const before = imageOf(exports)
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'function') continue
    try {
      trace.tell(`${name} gives ${told((value as (...values: unknown[]) => unknown)(...argumentsOf(value)))}`)
    } catch (error) {
      trace.fail(error)
    }
    if (trace.overflowed) return trace
  }
  if (before !== undefined) checkTracks(exports, before)
  for (const [name, value] of Object.entries(exports)) {
    if (name.startsWith('gatehouse_fuel')) continue
    if (value instanceof WebAssembly.Memory) trace.tell(`${name} ${seenOf(value, exports).toString('base64')}`)
    if (value instanceof WebAssembly.Table) trace.tell(`${name} ${value.length}`)
    if (value instanceof WebAssembly.Global) trace.tell(`${name} ${globalOf(value)}`)
  }
  return Object.assign(trace, fuel && { fuel: fuel.value })
}

/** What the module believes its memory to be. */
function seenOf({ buffer }: WebAssembly.Memory, { gatehouse_fuel_size: size }: WebAssembly.Exports): Buffer {
  const whole = Buffer.from(buffer)
  return size instanceof WebAssembly.Global ? whole.subarray(0, Number(size.value) * 65_536) : whole
}

/** Around what an instance begins with: by what its data and its start have written, and nothing else. */
function checkStart(exports: WebAssembly.Exports, data: Extent | null): void {
  const memory = exports['gatehouse_fuel_memory']
  if (!(memory instanceof WebAssembly.Memory) || data === null) return
  const [low, span] = ['gatehouse_fuel_low', 'gatehouse_fuel_span'].map((name) => numberOf(exports, name)) as [
    number,
    number,
  ]
  const own = low === -1 ? data : { start: low >>> 0, end: (low >>> 0) + (span >>> 0) + 16 }
  const [start, end] =
    data.end === 0 ? [own.start, own.end] : [Math.min(data.start, own.start), Math.max(data.end, own.end)]
  const isEmpty = (part: Uint8Array) => Buffer.alloc(part.length).equals(part)
  const whole = new Uint8Array(memory.buffer)
  assert.ok(isEmpty(whole.subarray(0, start)), 'nothing stands below its beginning')
  assert.ok(isEmpty(whole.subarray(Math.max(start, end))), 'nothing stands behind its beginning')
  begun.modules += 1
  if (low !== -1) begun.started += 1
  if (!isEmpty(whole)) begun.filled += 1
}

const begun = { modules: 0, started: 0, filled: 0 }

const numberOf = (exports: WebAssembly.Exports, name: string): number =>
  (exports[name] as unknown as { readonly value: number }).value

/** What the memory holds before anything is called; undefined when no writes are tracked. */
function imageOf({ gatehouse_fuel_memory: memory, gatehouse_fuel_low: low }: WebAssembly.Exports): Buffer | undefined {
  if (!(memory instanceof WebAssembly.Memory) || !(low instanceof WebAssembly.Global)) return undefined
  low.value = -1
  return Buffer.from(memory.buffer.slice(0))
}

/** Nothing else has changed than what is told. */
function checkTracks(exports: WebAssembly.Exports, before: Buffer): void {
  const after = Buffer.from((exports['gatehouse_fuel_memory'] as WebAssembly.Memory).buffer)
  const low = numberOf(exports, 'gatehouse_fuel_low')
  const from = low === -1 ? after.length : low >>> 0
  const to = Math.min(low === -1 ? 0 : from + (numberOf(exports, 'gatehouse_fuel_span') >>> 0) + 16, after.length)
  const whole = Buffer.concat([before, Buffer.alloc(after.length - before.length)])
  assert.is(
    after.compare(whole, 0, Math.min(from, whole.length), 0, Math.min(from, whole.length)),
    0,
    'below is untouched',
  )
  if (to > from) assert.is(after.compare(whole, to, whole.length, to, whole.length), 0, 'above is untouched')
}

function instantiate(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  trace: Trace,
): WebAssembly.Exports | undefined {
  try {
    return new WebAssembly.Instance(module, imports).exports
  } catch (error) {
    trace.fail(error)
    return undefined
  }
}

/** No type of an export is told in JavaScript: a number where an i64 is asked throws before anything runs, in both builds. */
function argumentsOf(call: { readonly length: number }): unknown[] {
  return Array.from({ length: call.length }, (_, n) => n * 3)
}

function globalOf(global: WebAssembly.Global): string {
  try {
    return told(global.value)
  } catch {
    return 'a v128'
  }
}

test(`metered and plain builds of ${count} generated modules do the same, and no work is free`, async () => {
  const generator = startGenerator()
  const seen = { compared: 0, refused: 0, overflowed: 0, lines: 0, fuel: 0n, least: 0n }
  try {
    for (let n = 0; n < count; n++) {
      const bytes = await generator.make(`${seed} ${n}`)
      const module = decodeGenerated(bytes)
      if (module === undefined) {
        seen.refused++
        continue
      }
      const metered = rewrite(module, wide)
      assert.equal(metered, rewrite(module, wide), `${n} is metered alike twice`)
      const [plain, other] = [runAll(bytes, module), runAll(metered, module)]
      // How deep the stack is differs between the builds, so an overflow ends the comparison.
      if (plain.overflowed || other.overflowed) {
        seen.overflowed++
        continue
      }
      assert.equal(other.lines, plain.lines, `module ${n} of seed ${seed}`)
      assert.ok((other.fuel ?? 0n) >= 0n, `module ${n} had fuel enough`)
      compareSteady(plain, runAll(rewrite(module, { ...wide, steady: true }), module), n)
      const single = runAll(rewrite(module, wide, cutSingly), module)
      assert.ok((other.fuel ?? 0n) <= (single.fuel ?? 0n) || single.overflowed, `module ${n} pays for all that it does`)
      seen.least += wide.startFuel - (single.fuel ?? wide.startFuel)
      seen.compared++
      seen.lines += plain.lines.length
      seen.fuel += wide.startFuel - (other.fuel ?? wide.startFuel)
    }
  } finally {
    generator.stop()
  }
  console.log(
    `${seen.compared} compared by ${seen.lines} lines, ${seen.fuel} units of fuel used (${seen.least} counted singly); ${seen.refused} refused, ${seen.overflowed} overflowed`,
  )
  console.log(
    `${begun.modules} instances of known beginnings, ${begun.filled} not empty, ${begun.started} written to by their start`,
  )
  assert.ok(seen.compared > count * 0.9, 'nearly all modules are compared')
})

/** The same with a memory that never grows, save where a module reaches behind what it believes to have. */
function compareSteady(plain: Trace, steady: Trace, n: number): void {
  if (plain.overflowed || steady.overflowed || plain.lines.some((line) => line.includes('out of bounds'))) return
  assert.equal(steady.lines, plain.lines, `module ${n} with a steady memory`)
}

/** Every instruction is paid for by itself, right before it: what a module costs at the very least. */
const cutSingly: typeof cutSegments = (module, { instructions, groups }) => [
  { at: groups.end, cost: ENTRY_COST, carried: 0, head: true, dead: false },
  ...instructions.flatMap(({ code, index = 0, start, end }) => {
    const host = code === op.call && index < module.importedFunctions ? HOST_CALL_COST : 0
    const cost = (opcodes.get(code)?.cost ?? 0) + host
    return cost === 0 ? [] : [{ at: code === op.loop ? end : start, cost, carried: 0, head: false, dead: false }]
  }),
]

/** The generator lets newer instructions slip in now and then, for which it was not asked. */
function decodeGenerated(bytes: Uint8Array): Module | undefined {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof ModuleRefusal && error.reason.endsWith('which is not accepted')) return undefined
    throw error
  }
}

test.run()
