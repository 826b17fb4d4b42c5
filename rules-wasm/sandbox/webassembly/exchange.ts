import type { Limits } from '../types.js'
import { RuleFault } from '../fault.js'
import { decodeForPeople } from '../text.js'

const unitsPerByte = 1 / 16

/** What goes in and out of one run, and what the host's own work for it costs. */
export class Exchange {
  input: Uint8Array = nothing
  /** Null until the rule has answered. */
  output: Uint8Array | null = null
  error: string | null = null
  /** Where the copy of the input stands in the blocks; 0 while there is none. */
  inputAddress = 0
  #view: DataView | null = null
  /** Units of fuel, beside those that the guest counts. */
  charged = 0
  /** Those that the guest has counted. */
  counted: () => number = () => 0

  constructor(readonly limits: Limits) {}

  begin(input: Uint8Array): void {
    this.input = input
    this.output = null
    this.error = null
    this.inputAddress = 0
    this.#view = null
    this.charged = 0
  }

  /** Lets go of the input. */
  forget(): void {
    this.input = nothing
    this.#view = null
  }

  get view(): DataView {
    const { buffer, byteOffset, byteLength } = this.input
    return (this.#view ??= new DataView(buffer, byteOffset, byteLength))
  }

  /** Pays for work of the host before it is done. */
  charge(units: number): void {
    this.charged += units
    if (this.charged > this.limits.fuel) throw new RuleFault('fuel', 'let the host work for more than its fuel')
  }

  left(): number {
    return this.limits.fuel - this.charged - this.counted()
  }

  chargeBytes(bytes: number): void {
    this.charge(Math.ceil(bytes * unitsPerByte))
  }

  /** A copy: the guest may write on. */
  answer(bytes: Uint8Array): void {
    const { outputBytes } = this.limits
    if (bytes.length > outputBytes) throw new RuleFault('output', `answered more than ${outputBytes} bytes`)
    this.output = bytes.slice()
  }

  fail(bytes: Uint8Array): void {
    this.error = decodeForPeople(bytes, mostErrorBytes) || 'an error without words'
  }
}

const nothing = new Uint8Array(0)
const mostErrorBytes = 500
