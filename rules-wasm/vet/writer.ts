/** What is put into a copied range: at `at`, instead of the next `removed` bytes. */
export interface Edit {
  readonly at: number
  readonly removed: number
  readonly inserted: Uint8Array
}

/** Bytes that grow at the end. */
export class Writer {
  #bytes: Uint8Array
  #length = 0

  constructor(room = 256) {
    this.#bytes = new Uint8Array(room)
  }

  byte(...values: readonly number[]): this {
    return this.bytes(values)
  }

  u32(value: number): this {
    let rest = value
    while (rest >= 0x80) {
      this.bytes([(rest % 0x80) | 0x80])
      rest = Math.floor(rest / 0x80)
    }
    return this.bytes([rest])
  }

  s64(value: bigint): this {
    if (value >= 0n && value < 0x4000_0000n) return this.#small(Number(value))
    let rest = BigInt.asIntN(64, value)
    for (;;) {
      const byte = Number(rest & 0x7fn)
      rest >>= 7n
      if ((rest === 0n && byte < 0x40) || (rest === -1n && byte >= 0x40)) return this.bytes([byte])
      this.bytes([byte | 0x80])
    }
  }

  bytes(values: ArrayLike<number>): this {
    if (this.#length + values.length > this.#bytes.length) this.#grow(values.length)
    this.#bytes.set(values, this.#length)
    this.#length += values.length
    return this
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value)
    return this.u32(bytes.length).bytes(bytes)
  }

  /** Copies `source` from `start` to `end`, changed by edits that stand in it, in order. */
  copy(source: Uint8Array, [start, end]: readonly [number, number], edits: readonly Edit[]): this {
    let from = start
    for (const { at, removed, inserted } of edits) {
      this.bytes(source.subarray(from, at)).bytes(inserted)
      from = at + removed
    }
    return this.bytes(source.subarray(from, end))
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** As `s64`, of a number that costs no big integer. */
  #small(value: number): this {
    let rest = value
    for (; rest >= 0x40; rest >>= 7) this.bytes([(rest & 0x7f) | 0x80])
    return this.bytes([rest])
  }

  #grow(more: number): void {
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }
}
