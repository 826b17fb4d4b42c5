import { Capabilities } from '../capabilities.js'
import type { RuleConfig } from '../config.js'
import type { ReadyRule } from '../ending.js'
import { RuleFault } from '../fault.js'
import { readAnswer } from '../answer.js'
import { escapeControls } from '../text.js'
import type { FailureKind, Limits, Ran, RuleModule, RunRequest } from '../types.js'
import { loadEngine } from './engine.js'
import { type Host, hostOf, UNITS_PER_FUEL } from './host.js'
import { type Image, takeImage } from './image.js'
import { Interpreter, type Pointer, Thrown } from './interpreter.js'
import { PRELUDE } from './prelude.js'

/** Enough to start the interpreter, and to tell of a failure. */
const SPARE_FUEL = 100_000_000n

/**
 * A rule in JavaScript with its configuration, loaded and ready. Rejects with `RuleFault` when its source cannot be loaded within the
 * rule's limits.
 */
export async function openJavascript(module: RuleModule, config: RuleConfig): Promise<ReadyRule> {
  return new JavascriptRule(module.engine ?? (await loadEngine()), { module, config })
}

type Outcome = Pick<Ran, 'answer' | 'failure' | 'outputBytes'>

/**
 * One interpreter, whose memory is put back after each call to what it was when the rule was loaded: no call finds anything of another,
 * and the same input takes the same steps.
 */
class JavascriptRule implements ReadyRule {
  readonly #interpreter: Interpreter
  readonly #capabilities: Capabilities
  readonly #host: Host
  readonly #limits: Limits
  readonly #isStateful: boolean
  readonly #runner: Pointer
  readonly #describe: Pointer
  readonly #image: Image

  constructor(engine: WebAssembly.Module, { module, config }: { module: RuleModule; config: RuleConfig }) {
    const { manifest, limits, code } = module
    this.#limits = limits
    this.#isStateful = manifest.stateful
    this.#capabilities = new Capabilities(manifest, config)
    this.#host = hostOf(this.#capabilities, manifest.capabilities, {
      left: () => Number(this.#interpreter.fuel),
      charge: (units) => this.#charge(units),
    })
    const interpreter = new Interpreter(engine, { memoryPages: limits.memoryPages, now: () => this.#host.now })
    this.#interpreter = interpreter
    interpreter.answerWith((question) => this.#host.answer(question))
    this.#capabilities.begin(null)
    const host = interpreter.hostFunction('host')
    const granted = interpreter.newString(JSON.stringify(manifest.capabilities))
    const prelude = interpreter.call(interpreter.runScript(PRELUDE, 'gatehouse.js'), [host, granted])
    this.#describe = interpreter.property(prelude, 'describe')
    const makeRunner = interpreter.property(prelude, 'runner')
    this.#runner = this.#load(String(code), makeRunner)
    this.#image = takeImage(interpreter)
  }

  #load(source: string, makeRunner: Pointer): Pointer {
    const interpreter = this.#interpreter
    interpreter.fuel = BigInt(this.#limits.fuel * UNITS_PER_FUEL)
    try {
      const evaluate = interpreter.property(interpreter.runModule(source, 'rule.js'), 'evaluate')
      if (interpreter.typeOf(evaluate) !== 'function')
        throw new RuleFault('error', 'must export a function evaluate, and may not wait at its top level')
      return interpreter.call(makeRunner, [evaluate])
    } catch (error) {
      const { kind, message } = this.#failureOf(error)
      throw new RuleFault(kind, message)
    }
  }

  async run(request: RunRequest): Promise<Ran> {
    const began = performance.now()
    const { inputBytes, fuel } = this.#limits
    this.#capabilities.begin(this.#isStateful ? request.kv : null)
    this.#host.begin()
    if (request.input.length > inputBytes) return this.#ran(refused(request.input.length, inputBytes), began)
    this.#interpreter.fuel = BigInt(fuel * UNITS_PER_FUEL)
    let outcome: Outcome | null = null
    let ran: Ran
    try {
      outcome = this.#evaluate(request.input)
      ran = this.#ran(outcome, began)
    } finally {
      this.#putBack(outcome)
    }
    return { ...ran, ms: performance.now() - began }
  }

  async prepare(): Promise<void> {}

  close(): void {}

  #evaluate(input: Uint8Array): Outcome {
    let outputBytes = 0
    try {
      const interpreter = this.#interpreter
      const told = interpreter.stringOf(interpreter.call(this.#runner, [interpreter.newString(input)]))
      if (told === null) throw new RuleFault('memory', 'ran out of memory')
      if (told[0] !== EQUALS) throw faultIn(told)
      outputBytes = told.length - 1
      if (outputBytes > this.#limits.outputBytes)
        throw new RuleFault('output', `answered ${outputBytes} bytes, more than ${this.#limits.outputBytes}`)
      return { answer: readAnswer(told.subarray(1)), failure: null, outputBytes }
    } catch (error) {
      return { answer: null, failure: this.#failureOf(error), outputBytes }
    }
  }

  #ran(outcome: Outcome, began: number): Ran {
    const most = this.#limits.fuel
    const left = Number(this.#interpreter.fuel)
    return {
      ...outcome,
      fuel: outcome.failure?.kind === 'refused' ? 0 : Math.min(most, most - Math.floor(left / UNITS_PER_FUEL)),
      ms: performance.now() - began,
      memoryPages: this.#interpreter.pages,
      ...this.#capabilities.told(),
    }
  }

  #putBack(outcome: Outcome | null): void {
    const isWell = outcome?.failure === null
    this.#image.restore(isWell ? 'success' : 'failure')
    if (isWell) return
    this.#interpreter.fuel = SPARE_FUEL
    this.#interpreter.resetStack()
  }

  #charge(units: number): void {
    this.#interpreter.fuel -= BigInt(units)
    if (this.#interpreter.fuel < 0n) throw new RuleFault('fuel', 'used up its fuel')
  }

  #failureOf(error: unknown): { readonly kind: FailureKind; readonly message: string } {
    if (error instanceof RuleFault) return { kind: error.kind, message: error.message }
    if (error instanceof Thrown) return this.#tell(error)
    if (this.#interpreter.fuel < 0n) return { kind: 'fuel', message: 'used up its fuel' }
    if (this.#isFull()) return { kind: 'memory', message: 'ran out of memory' }
    if (error instanceof RangeError) return { kind: 'stack', message: 'called itself too deep' }
    if (error instanceof WebAssembly.RuntimeError) return { kind: 'trap', message: 'ended the interpreter' }
    throw error
  }

  /** What was thrown is told by JavaScript too, for all that it holds may be a trap. */
  #tell({ value }: Thrown): { readonly kind: FailureKind; readonly message: string } {
    const interpreter = this.#interpreter
    const { fuel } = interpreter
    interpreter.fuel = SPARE_FUEL
    try {
      const told = interpreter.stringOf(interpreter.call(this.#describe, [value]))
      if (told !== null && !this.#isFull()) return faultIn(told)
    } catch {
      // Then nothing can be told of it.
      if (interpreter.fuel < 0n) return { kind: 'error', message: 'threw something that cannot be told' }
    } finally {
      interpreter.fuel = fuel
    }
    return { kind: 'memory', message: 'ran out of memory' }
  }

  /** What goes wrong then goes wrong in any way. */
  #isFull(): boolean {
    return this.#interpreter.pages >= this.#limits.memoryPages
  }
}

const EQUALS = '='.charCodeAt(0)

function refused(bytes: number, most: number): Outcome {
  const message = `was not run: its input has ${bytes} bytes, more than ${most}`
  return { answer: null, failure: { kind: 'refused', message }, outputBytes: 0 }
}

const kinds: readonly FailureKind[] = ['error', 'memory', 'stack', 'answer']

function faultIn(told: Uint8Array): RuleFault {
  const [, word, message = ''] = /^!(\w+) (.*)$/s.exec(decoder.decode(told)) ?? []
  const kind = kinds.find((name) => name === word)
  return kind === undefined
    ? new RuleFault('answer', 'answered what is no JSON')
    : new RuleFault(kind, escapeControls(message).slice(0, 400))
}

const decoder = new TextDecoder()
