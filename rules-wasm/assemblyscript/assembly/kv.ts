import { kvDelete, kvGet, kvSet } from './host'
import { Buffer, take } from './memory'
import { readInteger } from './number'
import { Text } from './text'
import { encode } from './utf8'

const FIRST_ROOM = 512

/**
 * What the rule remembers of one connection. Needs the capability `kv` of a stateful rule. Writes are kept only if the call
 * succeeds; 64 keys, 4 KiB a value.
 */
export abstract class Kv {
  /** Null where nothing is stored. */
  static get(key: string): Text | null {
    const name = encode(key)
    const out = take(FIRST_ROOM)
    const length = kvGet(name.at, name.length, out, FIRST_ROOM)
    if (length < 0) return null
    if (length <= FIRST_ROOM) return new Text(out, length)
    const whole = take(length)
    kvGet(name.at, name.length, whole, length)
    return new Text(whole, length)
  }

  static integer(key: string, fallback: i64 = 0): i64 {
    const value = Kv.get(key)
    return value === null || value.isEmpty ? fallback : readInteger(value.at, value.at + value.length, fallback)
  }

  /** False when a quota is used up. Without `ttlSeconds` it is kept as long as the gateway allows. */
  static set(key: string, value: string, ttlSeconds: i32 = 0): bool {
    return Kv.put(key, encode(value), ttlSeconds)
  }

  static setInteger(key: string, value: i64, ttlSeconds: i32 = 0): bool {
    const digits = new Buffer(20)
    digits.integer(value)
    return Kv.put(key, digits, ttlSeconds)
  }

  static remove(key: string): void {
    const name = encode(key)
    kvDelete(name.at, name.length)
  }

  private static put(key: string, value: Buffer, ttlSeconds: i32): bool {
    const name = encode(key)
    return kvSet(name.at, name.length, value.at, value.length, ttlSeconds) === 1
  }
}
