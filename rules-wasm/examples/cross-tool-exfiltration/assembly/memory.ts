import { Buffer, Kv, Text } from '@gatehouse/rule-assemblyscript/assembly'

const SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const SIZE: i32 = 5
/** What one value of the store holds, and how many of these the store does. */
export const ROOM: i32 = 800
const SLOTS: i32 = 7

const TAINT = 'taint'
const FULL = 'full'
const HEAD = 'head'

export function isTainted(): bool {
  return Kv.get(TAINT) !== null
}

/** Whether something that was still to be remembered had to make room. */
export function hasForgotten(): bool {
  return Kv.get(FULL) !== null
}

/** Remembers that something sensitive was read, and what. False: the store takes no more. */
export function remember(prints: u32[], seconds: i32): bool {
  if (!Kv.set(TAINT, '1', seconds)) return false
  if (prints.length == 0) return true
  const slot = <i32>Kv.integer(HEAD, 0)
  const there = Kv.get(nameOf(slot))
  const size = there === null ? 0 : there.length / SIZE
  const text = encode(prints)
  if (there !== null && size + prints.length <= ROOM) return Kv.set(nameOf(slot), there.toString() + text, seconds)
  const next = there === null ? slot : (slot + 1) % SLOTS
  if (there !== null && Kv.get(nameOf(next)) !== null && !Kv.set(FULL, '1', seconds)) return false
  return Kv.setInteger(HEAD, next, seconds) && Kv.set(nameOf(next), text, seconds)
}

/** All that is remembered of this connection. */
@final
export class Known {
  private table: StaticArray<u32> = new StaticArray<u32>(16384)

  constructor() {
    for (let slot = 0; slot < SLOTS; slot++) {
      const value = Kv.get(nameOf(slot))
      if (value !== null) this.read(value)
    }
  }

  has(print: u32): bool {
    for (let at = print & 16383; this.table[at] != 0; at = (at + 1) & 16383)
      if (this.table[at] == print + 1) return true
    return false
  }

  private read(value: Text): void {
    for (let i = 0; i + SIZE <= value.length; i += SIZE) {
      let print: u32 = 0
      for (let n = 0; n < SIZE; n++) print = (print << 6) | valueOf(value.byteAt(i + n))
      let at = print & 16383
      while (this.table[at] != 0) at = (at + 1) & 16383
      this.table[at] = print + 1
    }
  }
}

function nameOf(slot: i32): string {
  return 'seen' + slot.toString()
}

function encode(prints: u32[]): string {
  const out = new Buffer(prints.length * SIZE)
  for (let i = 0; i < prints.length; i++) {
    for (let shift = 24; shift >= 0; shift -= 6) out.byte(SIGNS.charCodeAt((prints[i] >>> shift) & 63))
  }
  return new Text(out.at, out.length).toString()
}

function valueOf(c: i32): u32 {
  if (c == 0x2d) return 62
  if (c == 0x5f) return 63
  if (c <= 0x39) return c - 0x30 + 52
  return c >= 0x61 ? c - 0x61 + 26 : c - 0x41
}
