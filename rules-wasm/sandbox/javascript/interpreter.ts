import { FUEL_EXPORT } from '@gatehouse/rule-vet/exports'
import { RuleFault } from '../fault.js'
import { importsOf, type Outside } from './imports.js'

export const PAGE = 65_536
/** Where QuickJS's build has the end of its stack, which grows down. */
export const STACK_TOP = 5_333_088
/** Where the build keeps the end of its heap: nothing above it was ever used. */
const BREAK_AT = 86_864
/** Deeper calls fail with an error of QuickJS's own, long before the engine that runs it would end them. */
export const STACK_BYTES = 98_304
/** The build takes no less memory. */
const LEAST_PAGES = 256

/** Where a value or a text stands within the interpreter. */
export type Pointer = number

/** The exports of QuickJS's build, by the letters that it gives them. */
interface Exports {
  readonly [FUEL_EXPORT]: { value: bigint }
  readonly u: () => void
  readonly v: (bytes: number) => Pointer
  readonly D: (runtime: Pointer, bytes: number) => void
  readonly E: () => Pointer
  readonly K: () => Pointer
  readonly N: (runtime: Pointer, intrinsics: number) => Pointer
  readonly M: (at: Pointer) => void
  readonly S: (context: Pointer, text: Pointer) => void
  readonly _: (context: Pointer, text: Pointer) => Pointer
  readonly $: (context: Pointer, value: Pointer) => Pointer
  readonly ha: (context: Pointer, value: Pointer, name: Pointer) => Pointer
  readonly ma: (context: Pointer, callee: Pointer, self: Pointer, count: number, values: Pointer) => Pointer
  readonly na: (context: Pointer, value: Pointer) => Pointer
  readonly pa: (context: Pointer, code: Pointer, bytes: number, name: Pointer, detect: number, flags: number) => Pointer
  readonly ra: (context: Pointer, value: Pointer) => Pointer
  readonly Da: (context: Pointer, name: Pointer, count: number, isConstructor: number, id: number) => Pointer
  readonly Ea: (values: Pointer, index: number) => Pointer
  readonly Ma: (stack: Pointer) => void
}

const asScript = 0
const asModule = 1

/**
 * QuickJS in a WebAssembly memory of its own. Frees next to nothing: whoever uses it puts the memory back as it was. Everything that it does
 * uses fuel, and traps when there is none left.
 */
export class Interpreter {
  readonly memory: WebAssembly.Memory
  /** Where its heap begins. It ends with the memory, and cannot grow. */
  readonly heap: number
  readonly #exports: Exports
  readonly #context: Pointer
  readonly #undefined: Pointer
  #asked: (question: Uint8Array) => string | null = () => null

  constructor(engine: WebAssembly.Module, { memoryPages, now }: { memoryPages: number; now: Outside['now'] }) {
    const pages = Math.max(LEAST_PAGES, Math.ceil(STACK_TOP / PAGE) + memoryPages)
    this.heap = (pages - memoryPages) * PAGE
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const ask = (context: Pointer, values: Pointer) => this.#answer(context, values)
    const instance = new WebAssembly.Instance(engine, importsOf(this.memory, { now, ask }))
    this.#exports = instance.exports as unknown as Exports
    // QuickJS's own limit counts no more than the largest of its pieces, so the heap is made as small as it may become.
    this.#words[BREAK_AT >>> 2] = this.heap
    this.#exports.u()
    const runtime = this.#exports.K()
    this.#exports.D(runtime, STACK_BYTES)
    this.#context = this.#exports.N(runtime, 0)
    this.#undefined = this.#exports.E()
  }

  get fuel(): bigint {
    return this.#exports[FUEL_EXPORT].value
  }

  set fuel(units: bigint) {
    this.#exports[FUEL_EXPORT].value = units
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer)
  }

  /** The end of its heap. */
  get break(): number {
    return this.#words[BREAK_AT >>> 2] ?? 0
  }

  /** Of its heap, as far as it was used since the interpreter was started or put back. */
  get pages(): number {
    return Math.ceil((this.break - this.heap) / PAGE)
  }

  get #words(): Uint32Array {
    return new Uint32Array(this.memory.buffer)
  }

  /** Who answers the host function from now on. Texts are of JSON; null is `undefined`. What it throws ends the run. */
  answerWith(asked: (question: Uint8Array) => string | null): void {
    this.#asked = asked
  }

  /** Needed after a trap: it leaves the stack where it was. */
  resetStack(): void {
    this.#exports.Ma(STACK_TOP)
  }

  /** The value of a script. Throws `Thrown`. */
  runScript(source: string, name: string): Pointer {
    return this.#evaluate(source, { name, flags: asScript })
  }

  /** What a module exports, or a promise of it if it waits for something. Throws `Thrown`. */
  runModule(source: string, name: string): Pointer {
    return this.#evaluate(source, { name, flags: asModule })
  }

  hostFunction(name: string): Pointer {
    return this.#exports.Da(this.#context, this.#text(name), 1, 0, 1)
  }

  property(value: Pointer, name: string): Pointer {
    return this.#checked(this.#exports.ha(this.#context, value, this.newString(name)))
  }

  typeOf(value: Pointer): string {
    return decoder.decode(this.#read(this.#exports.ra(this.#context, value)))
  }

  newString(text: string | Uint8Array): Pointer {
    return this.#exports._(this.#context, this.#text(text))
  }

  /** The UTF-8 of a string, up to its first NUL, in the interpreter's own memory; null when there was no room to make it. */
  stringOf(value: Pointer): Uint8Array | null {
    const at = this.#exports.$(this.#context, value)
    return at === 0 ? null : this.#read(at)
  }

  /** Throws `Thrown` for what the function throws. */
  call(callee: Pointer, values: readonly Pointer[]): Pointer {
    const at = this.#exports.v(4 * values.length + 4)
    this.#words.set(values, at >>> 2)
    return this.#checked(this.#exports.ma(this.#context, callee, this.#undefined, values.length, at))
  }

  #evaluate(source: string, { name, flags }: { name: string; flags: number }): Pointer {
    const code = this.#text(source)
    const { length } = this.#read(code)
    return this.#checked(this.#exports.pa(this.#context, code, length, this.#text(name), 0, flags))
  }

  #answer(context: Pointer, values: Pointer): Pointer {
    const at = this.#exports.$(context, this.#exports.Ea(values, 0))
    if (at === 0) throw new RuleFault('memory', 'ran out of memory')
    const answer = this.#asked(this.#read(at))
    this.#exports.S(context, at)
    if (answer === null) return 0
    const text = this.#text(answer)
    const value = this.#exports._(context, text)
    this.#exports.M(text)
    return value
  }

  #checked(value: Pointer): Pointer {
    const error = this.#exports.na(this.#context, value)
    if (error !== 0) throw new Thrown(error)
    return value
  }

  #text(text: string | Uint8Array): Pointer {
    const bytes = typeof text === 'string' ? encoder.encode(text) : text
    const at = this.#exports.v(bytes.length + 1)
    if (at === 0) throw new RuleFault('memory', 'ran out of memory')
    this.bytes.set(bytes, at)
    this.bytes[at + bytes.length] = 0
    return at
  }

  #read(at: Pointer): Uint8Array {
    const { bytes } = this
    return bytes.subarray(at, bytes.indexOf(0, at))
  }
}

/** Something that JavaScript threw and did not catch. */
export class Thrown extends Error {
  override readonly name = 'Thrown'

  constructor(readonly value: Pointer) {
    super('JavaScript threw')
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
