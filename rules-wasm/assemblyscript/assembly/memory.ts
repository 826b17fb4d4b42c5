// Memory is taken from one end, and given back all at once when the next call begins: nothing is collected, nothing leaks.
// What a rule made at its start (values of globals) lies below the mark and stays.

const HEADER: usize = 4

let mark: usize = 0

/** Gives back what the call before has taken. */
export function beginCall(): void {
  if (mark === 0) mark = heap.alloc(12)
  const top = heap.alloc(12)
  // The allocator takes back its last block alone: so the mark becomes one that reaches up to the end.
  store<usize>(mark - HEADER, top + load<usize>(top - HEADER) - mark)
  heap.free(mark)
  heap.alloc(12)
}

/** Bytes that live as long as the call. */
export function take(length: i32): usize {
  return heap.alloc(<usize>max(length, 4))
}

/** Bytes that are written one after another. Grows as needed. */
@final
export class Buffer {
  at: usize
  length: i32 = 0
  private room: i32

  constructor(room: i32) {
    this.at = take(room)
    this.room = room
  }

  /** Where the next `more` bytes may be written; whoever writes them adds to `length`. */
  ensure(more: i32): usize {
    const needed = this.length + more
    if (needed > this.room) {
      this.room = max(needed, this.room * 2)
      this.at = heap.realloc(this.at, <usize>this.room)
    }
    return this.at + this.length
  }

  /** Gives back the room behind what was written, if nothing else was taken since. */
  fit(): void {
    this.room = max(this.length, 16)
    this.at = heap.realloc(this.at, <usize>this.room)
  }

  byte(value: i32): void {
    store<u8>(this.ensure(1), <u8>value)
    this.length += 1
  }

  bytes(at: usize, length: i32): void {
    memory.copy(this.ensure(length), at, length)
    this.length += length
  }

  /** Of ASCII. */
  ascii(text: string): void {
    const length = text.length
    const from = changetype<usize>(text)
    const out = this.ensure(length + 8)
    let i: usize = 0
    if (ASC_FEATURE_SIMD) {
      // Eight at a time; what is read and written past the end is written over by what comes next.
      for (; i < <usize>length; i += 8) {
        const units = v128.load(from + (i << 1))
        v128.store64_lane(out + i, i8x16.narrow_i16x8_u(units, units), 0)
      }
    }
    for (; i < <usize>length; i++) store<u8>(out + i, load<u8>(from + (i << 1)))
    this.length += length
  }

  integer(value: i64): void {
    if (value < 0) this.byte(45)
    let digits = value < 0 ? 0 - <u64>value : <u64>value
    let count = 1
    for (let rest = digits / 10; rest > 0; rest /= 10) count += 1
    const out = this.ensure(count)
    for (let i = count - 1; i >= 0; i--) {
      store<u8>(out + i, <u8>(48 + (digits % 10)))
      digits /= 10
    }
    this.length += count
  }
}
