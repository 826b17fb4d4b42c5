import type { Extent } from '@gatehouse/rule-vet'
import { RuleFault } from '../fault.js'
import { decodeStrict } from '../text.js'

/** The memory of a guest, as host functions see it: whatever lies outside of it is the guest's fault. */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined
  #bytes = new Uint8Array(0)
  #lowest = Infinity
  #highest = 0

  attach(memory: WebAssembly.Memory | undefined): void {
    this.#memory = memory
    this.#bytes = new Uint8Array(memory?.buffer ?? new ArrayBuffer(0))
  }

  /** A view, until the memory grows. It counts as written. */
  view(pointer: number, length: number): Uint8Array {
    const bytes = this.#current()
    const [start, size] = [pointer >>> 0, length >>> 0]
    if (start + size > bytes.length) throw new RuleFault('trap', 'gave the host a pointer outside of its memory')
    if (start < this.#lowest) this.#lowest = start
    if (start + size > this.#highest) this.#highest = start + size
    return bytes.subarray(start, start + size)
  }

  text(pointer: number, length: number, what: string): string {
    return decodeStrict(this.view(pointer, length), what)
  }

  /** Writes at most `room` bytes; answers how many there are. */
  write(pointer: number, room: number, bytes: Uint8Array): number {
    const target = this.view(pointer, Math.min(room >>> 0, bytes.length))
    target.set(target.length === bytes.length ? bytes : bytes.subarray(0, target.length))
    return bytes.length
  }

  /** Around all that the host has looked at or written. */
  get written(): Extent {
    return this.#highest === 0 ? { start: 0, end: 0 } : { start: this.#lowest, end: this.#highest }
  }

  forgetViews(): void {
    this.#lowest = Infinity
    this.#highest = 0
  }

  /** Growing detaches what was there. */
  #current(): Uint8Array {
    if (this.#bytes.length === 0 && this.#memory !== undefined) this.#bytes = new Uint8Array(this.#memory.buffer)
    return this.#bytes
  }
}
