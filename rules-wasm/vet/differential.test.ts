import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGenerator } from './generator.fixture.js'
import { decode } from './decode.js'
import { type HostFunction, meter, vet } from './index.js'
import { caps } from './run.fixture.js'

/** More by `VET_FUZZ=5000`, others by `VET_SEED=<text>`. */
const count = Number(process.env['VET_FUZZ'] ?? 500)
const seed = process.env['VET_SEED'] ?? 'gatehouse'
const wide = { ...caps, startFuel: 10n ** 15n }
const offered = { moduleBytes: 2 ** 24, memoryPages: 64, tableElements: 10_000, entryPoints: [], start: true, simd: true }

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

function importsOf(module: WebAssembly.Module, trace: Trace): WebAssembly.Imports {
  const imports: Record<string, Record<string, (...values: unknown[]) => unknown>> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    ;(imports[from] ??= {})[name] = (...values) => {
      trace.tell(`${name} ${values.map(told).join(' ')}`)
      return 0
    }
  }
  return imports
}

function runAll(bytes: Uint8Array): Trace & { fuel?: bigint } {
  const trace = new Trace()
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
  const exports = instantiate(module, trace)
  if (exports === undefined) return trace
  const fuel = exports['gatehouse_fuel'] as unknown as { value: bigint } | undefined
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'function') continue
    try {
      trace.tell(`${name} gives ${told((value as (...values: unknown[]) => unknown)(...argumentsOf(value)))}`)
    } catch (error) {
      trace.fail(error)
    }
    if (trace.overflowed) return trace
  }
  for (const [name, value] of Object.entries(exports)) {
    if (value instanceof WebAssembly.Memory) trace.tell(`${name} ${Buffer.from(value.buffer).toString('base64')}`)
    if (value instanceof WebAssembly.Table) trace.tell(`${name} ${value.length}`)
    if (value instanceof WebAssembly.Global && name !== 'gatehouse_fuel') trace.tell(`${name} ${globalOf(value)}`)
  }
  return Object.assign(trace, fuel && { fuel: fuel.value })
}

function instantiate(module: WebAssembly.Module, trace: Trace): WebAssembly.Exports | undefined {
  try {
    return new WebAssembly.Instance(module, importsOf(module, trace)).exports
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

test(`metered and plain builds of ${count} generated modules do the same`, async () => {
  const generator = startGenerator()
  const seen = { compared: 0, refused: 0, overflowed: 0, lines: 0, fuel: 0n }
  try {
    for (let n = 0; n < count; n++) {
      const bytes = await generator.make(`${seed} ${n}`)
      const vetted = vet(bytes, { ...offered, imports: importedBy(bytes) })
      if (!vetted.ok) {
        const messages = vetted.problems.map(({ message }) => message)
        assert.ok(messages.every((message) => expected.test(message)), `${n}: ${messages.join('; ')}`)
        seen.refused++
        continue
      }
      const metered = meter(bytes, wide)
      assert.equal(metered, meter(bytes, wide), `${n} is metered alike twice`)
      const [plain, other] = [runAll(bytes), runAll(metered)]
      // How deep the stack is differs between the builds, so an overflow ends the comparison.
      if (plain.overflowed || other.overflowed) {
        seen.overflowed++
        continue
      }
      assert.equal(other.lines, plain.lines, `module ${n} of seed ${seed}`)
      assert.ok((other.fuel ?? 0n) >= 0n, `module ${n} had fuel enough`)
      seen.compared++
      seen.lines += plain.lines.length
      seen.fuel += wide.startFuel - (other.fuel ?? wide.startFuel)
    }
  } finally {
    generator.stop()
  }
  console.log(`${seen.compared} compared by ${seen.lines} lines, ${seen.fuel} units of fuel used; ${seen.refused} refused, ${seen.overflowed} overflowed`)
  assert.ok(seen.compared > count / 2, 'most modules are compared')
})

/** What the generator makes beyond the limits that are kept here. */
const expected = /^(imports a function that takes or gives references|has a memory of|has a table of)/

/** All that it imports is offered, as it asks for it. */
function importedBy(bytes: Uint8Array): readonly HostFunction[] {
  const { imports, types } = decode(bytes)
  return imports.flatMap(({ module, name, type }) => {
    const asked = types[type ?? -1]
    return asked === undefined ? [] : [{ module, name, ...asked }]
  })
}

test.run()
