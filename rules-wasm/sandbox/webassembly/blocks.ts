import { RuleFault } from '../fault.js'

/** In one run. */
const mostBlocks = 10_000
const smallest = 4_096

/**
 * The memory that Extism's functions work on, one run long: blocks in a row, none of which is used twice. Addresses are offsets, of
 * which none is 0. Whatever lies outside of what was allocated is the guest's fault.
 */
export class Blocks {
  #bytes = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)
  #top = first
  #lengths = new Map<number, number>()
  #count = 0

  constructor(readonly mostBytes: number) {}

  begin(): void {
    if (this.#count === 0) return
    this.#bytes.fill(0, 0, this.#top)
    this.#top = first
    this.#count = 0
    this.#lengths.clear()
    if (this.#bytes.length > kept) this.#use(new Uint8Array(0))
  }

  allocate(length: number): number {
    if ((this.#count += 1) > mostBlocks) throw new RuleFault('memory', `took more than ${mostBlocks} blocks of memory`)
    const address = this.#top
    const top = address + Math.max(8, Math.ceil(length / 8) * 8)
    if (!(length >= 0) || top > this.mostBytes)
      throw new RuleFault('memory', `took more than ${this.mostBytes} bytes of blocks of memory`)
    if (top > this.#bytes.length) this.#grow(top)
    this.#top = top
    this.#lengths.set(address, length)
    return address
  }

  /** The length of a block; 0 when there is none at this address. */
  lengthOf(address: number): number {
    return this.#lengths.get(address) ?? 0
  }

  free(address: number): void {
    this.#lengths.delete(address)
  }

  /** The first bytes of a block. */
  part(address: number, length: number): Uint8Array {
    if (length > this.lengthOf(address)) throw outside()
    return this.#bytes.subarray(address, address + length)
  }

  whole(address: number): Uint8Array {
    return this.part(address, this.lengthOf(address))
  }

  /** For reading and writing `size` bytes there. */
  at(address: number, size: number): DataView {
    if (address < first || address + size > this.#top) throw outside()
    return this.#view
  }

  #grow(top: number): void {
    const bytes = new Uint8Array(Math.min(this.mostBytes, Math.max(smallest, this.#bytes.length * 2, top)))
    bytes.set(this.#bytes.subarray(0, this.#top))
    this.#use(bytes)
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

const first = 8
/** What is not given back between runs. */
const kept = 1_048_576
const outside = (): RuleFault => new RuleFault('trap', 'gave the host an address outside of its blocks')
