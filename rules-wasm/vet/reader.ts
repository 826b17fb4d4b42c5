import { ModuleRefusal } from './refusal.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads the primitives of the binary format (WebAssembly core specification, 5.2) from one range of a module, and
 * refuses to read over its end. Padded LEB128 is read, as linkers write it, but never more bytes or bits than the type has.
 */
export class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end
  }

  byte(what: string): number {
    if (this.at >= this.end) throw new ModuleRefusal(`ends inside ${what}`, this.at)
    return this.bytes[this.at++] ?? 0
  }

  skip(length: number, what: string): void {
    if (length > this.end - this.at) throw new ModuleRefusal(`ends inside ${what}`, this.at)
    this.at += length
  }

  u32(what: string): number {
    const start = this.at
    let value = this.byte(what)
    if (value < 0x80) return value
    value &= 0x7f
    for (let n = 1, weight = 0x80; n < 5; n++, weight *= 0x80) {
      const byte = this.byte(what)
      if (n === 4 && byte > 0x0f) break
      value += (byte & 0x7f) * weight
      if (byte < 0x80) return value
    }
    throw new ModuleRefusal(`has an overlong number as ${what}`, start)
  }

  /** Walks over a signed number; what it is worth is nothing to us. */
  skipSigned(bits: 32 | 33 | 64, what: string): void {
    const start = this.at
    const most = Math.ceil(bits / 7)
    for (let n = 1; n <= most; n++) {
      const byte = this.byte(what)
      if (byte >= 0x80) continue
      if (n < most || isSignFilled(byte, bits - 7 * (most - 1))) return
      break
    }
    throw new ModuleRefusal(`has an overlong number as ${what}`, start)
  }

  /** A signed number of 32 bits. */
  s32(what: string): number {
    const start = this.at
    this.skipSigned(32, what)
    let value = 0
    for (let at = start; at < this.at; at++) value |= ((this.bytes[at] ?? 0) & 0x7f) << (7 * (at - start))
    const unused = Math.max(0, 32 - 7 * (this.at - start))
    return (value << unused) >> unused
  }

  /** How many entries follow: never more than `most`, nor than there are bytes left, since each takes one at least. */
  count(what: string, most: number): number {
    const start = this.at
    const count = this.u32(`the number of ${what}`)
    if (count > most) throw new ModuleRefusal(`has ${count} ${what}, more than ${most}`, start)
    if (count > this.end - this.at) throw new ModuleRefusal(`ends before its ${count} ${what}`, start)
    return count
  }

  text(what: string): string {
    const length = this.count(`bytes of ${what}`, 100_000)
    const start = this.at
    this.skip(length, what)
    try {
      return utf8.decode(this.bytes.subarray(start, this.at))
    } catch {
      throw new ModuleRefusal(`has ${what} that is not UTF-8`, start)
    }
  }

  /** A reader of the next `length` bytes, over which this one goes on. */
  part(length: number, what: string): Reader {
    const start = this.at
    if (length > this.end - start) throw new ModuleRefusal(`ends inside ${what}`, start)
    this.at += length
    return new Reader(this.bytes, start, this.at)
  }

  finish(what: string): void {
    if (!this.done) throw new ModuleRefusal(`has bytes left over in ${what}`, this.at)
  }
}

function isSignFilled(byte: number, used: number): boolean {
  const rest = (byte & 0x7f) >> (used - 1)
  return rest === 0 || rest === 0x7f >> (used - 1)
}
