import { isEqual } from './find'
import { encode, unescape } from './utf8'
import { readInteger, readNumber } from './number'
import { Kind, Tape } from './tape'
import { Text } from './text'

/**
 * A value of a JSON text. What is not there is a value too, whose `exists` is false: so a way into a message can be written
 * without a check at each step, and never traps.
 */
@final
export class Value {
  constructor(
    public tape: Tape,
    public token: i32,
    private inObject: bool = false,
  ) {}

  get kind(): Kind {
    return this.token < 0 ? Kind.Missing : this.tape.kind(this.token)
  }
  get exists(): bool {
    return this.token >= 0
  }
  get isObject(): bool {
    return this.kind === Kind.Object
  }
  get isArray(): bool {
    return this.kind === Kind.Array
  }
  get isString(): bool {
    return this.token >= 0 && this.tape.isString(this.token)
  }
  get isNumber(): bool {
    return this.kind === Kind.Number
  }
  get isNull(): bool {
    return this.kind === Kind.Null
  }
  get isTrue(): bool {
    return this.kind === Kind.True
  }

  /** The member of an object; of several with the same name the last, as JSON.parse takes it. */
  get(name: string): Value {
    let found = -1
    if (this.isObject) {
      const tape = this.tape
      for (let key = this.token + 1; tape.kind(key) !== Kind.Close; key = tape.next(key + 1)) {
        if (hasName(tape, key, name)) found = key + 1
      }
    }
    return new Value(this.tape, found, true)
  }

  /** The item of an array, from 0. To walk through all of them, `first` and `next` are faster. */
  at(index: i32): Value {
    if (!this.isArray || index < 0) return this.missing()
    let item = this.first()
    for (let i = 0; i < index && item.exists; i++) item = item.next()
    return item
  }

  /** The first item, or the value of the first member. */
  first(): Value {
    const isObject = this.isObject
    if (!isObject && !this.isArray) return this.missing()
    if (this.tape.kind(this.token + 1) === Kind.Close) return this.missing()
    return new Value(this.tape, isObject ? this.token + 2 : this.token + 1, isObject)
  }

  /** What comes after it in the same object or array. */
  next(): Value {
    if (this.token < 0) return this
    const next = this.tape.next(this.token)
    if (next >= this.tape.count || this.tape.kind(next) === Kind.Close) return this.missing()
    return new Value(this.tape, this.inObject ? next + 1 : next, this.inObject)
  }

  /** Items or members. */
  get length(): i32 {
    let count = 0
    for (let item = this.first(); item.exists; item = item.next()) count += 1
    return count
  }

  /** The name of a member that `first`, `next` or `get` gave. */
  get key(): Text {
    if (this.token < 0 || !this.inObject) return new Text(0, 0)
    return stringAt(this.tape, this.token - 1)
  }

  /** Whether it is a member of that name. Cheaper than `key`. */
  isNamed(name: string): bool {
    return this.token >= 0 && this.inObject && hasName(this.tape, this.token - 1, name)
  }

  /** A string's text; empty for what is none. */
  get text(): Text {
    return this.isString ? stringAt(this.tape, this.token) : new Text(0, 0)
  }

  /** NaN for what is no number. */
  get number(): f64 {
    if (!this.isNumber) return NaN
    return readNumber(this.tape.source + this.tape.start(this.token), this.tape.source + this.tape.end(this.token))
  }

  /** A whole number; `fallback` for all else. */
  integer(fallback: i64 = 0): i64 {
    if (!this.isNumber) return fallback
    const source = this.tape.source
    return readInteger(source + this.tape.start(this.token), source + this.tape.end(this.token), fallback)
  }

  /** Its JSON, as it came. Empty for what is missing. */
  get raw(): Text {
    if (this.token < 0) return new Text(0, 0)
    const start = this.tape.start(this.token)
    return new Text(this.tape.source + start, this.tape.stop(this.token) - start)
  }

  toString(): string {
    return this.isString ? this.text.toString() : this.raw.toString()
  }

  private missing(): Value {
    return new Value(this.tape, -1)
  }
}

/** Reads JSON: of a text that holds some, for example. A value that does not exist when it is none. */
export function parse(text: Text): Value {
  const tape = new Tape(text.at, text.length)
  return new Value(tape, tape.count > 0 ? 0 : -1)
}

/** The same for a string. */
export function parseString(text: string): Value {
  const bytes = encode(text)
  return parse(new Text(bytes.at, bytes.length))
}

export function stringAt(tape: Tape, token: i32): Text {
  const from = tape.source + tape.start(token) + 1
  const end = tape.source + tape.end(token)
  if (tape.kind(token) !== Kind.Escaped) return new Text(from, <i32>(end - from))
  const bytes = unescape(from, end)
  return new Text(bytes.at, bytes.length)
}

function hasName(tape: Tape, key: i32, name: string): bool {
  if (tape.kind(key) === Kind.Escaped) return stringAt(tape, key).equals(name)
  const start = tape.start(key) + 1
  return isEqual(tape.source + start, tape.end(key) - start, name, false)
}
