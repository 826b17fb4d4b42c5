import { createRequire } from 'node:module'
import type * as Re2 from 're2js'
import { RuleFault } from './fault.js'

const require = createRequire(import.meta.url)

/** Regular expressions in linear time. Loaded with the first one: most threads that run rules see none, and each begins in a hurry. */
const library = once(() => {
  const re2 = require('re2js') as typeof Re2
  const Utf8Input = inputClassOf(re2)
  return { re2, Utf8Input, BoundedInput: boundedClassOf(Utf8Input) }
})

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

export const compile = (pattern: string): Re2.RE2JS => library().re2.RE2JS.compile(pattern)

/** What the library's machines read a text through, character by character. */
export interface Input {
  step(position: number): number
}

export const inputOf = (text: Uint8Array): Input => new (library().Utf8Input)(text, 0, text.length)

/** Tells how far it was read, and ends the search that would read on: at most so many bytes behind `from`. */
export interface BoundedInput extends Input {
  readonly read: number
}

export const boundedInputOf = (text: Uint8Array, from: number, most: number): BoundedInput =>
  new (library().BoundedInput)(text, from, most)

type InputClass = new (bytes: Uint8Array, start: number, end: number) => Input
type BoundedClass = new (text: Uint8Array, from: number, most: number) => BoundedInput

const UNANCHORED = 0

/** The library does not export it. */
function inputClassOf({ RE2JS, MatcherInput }: typeof Re2): InputClass {
  const engine = RE2JS.compile('a').re2()
  let made: Input | undefined
  engine.executeEngine = (input: Input) => void (made = input)
  engine.matchMachineInput(MatcherInput.utf8(new Uint8Array(1)), 0, 1, UNANCHORED, 0)
  return made?.constructor as InputClass
}

function boundedClassOf(Utf8Input: InputClass): BoundedClass {
  return class extends Utf8Input implements BoundedInput {
    #furthest: number
    readonly #last: number

    constructor(
      readonly text: Uint8Array,
      readonly from: number,
      most: number,
    ) {
      super(text, 0, text.length)
      this.#furthest = from
      this.#last = from + most
    }

    override step(position: number): number {
      if (position > this.#furthest) {
        if (position > this.#last) throw tooDear()
        this.#furthest = position
      }
      return super.step(position)
    }

    get read(): number {
      return Math.min(this.#furthest, this.text.length) - this.from
    }
  }
}

export const tooDear = (): RuleFault =>
  new RuleFault('fuel', 'has not enough fuel left to look for a pattern in such a long text')
