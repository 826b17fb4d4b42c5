import { kvDelete, kvGet, kvSet } from './host'
import { Buffer, take } from './memory'
import { readInteger } from './number'
import { Text } from './text'
import { encode } from './utf8'

// What the rule remembers of one connection. Needs the capability `kv` of a stateful rule. Writes are kept only if the call
// succeeds; 64 keys, 4 KiB a value.

const FIRST_ROOM = 512

/** Null where nothing is stored. */
export function get(key: string): Text | null {
  const name = encode(key)
  let room = FIRST_ROOM
  for (;;) {
    const out = take(room)
    const length = kvGet(name.at, name.length, out, room)
    if (length < 0) return null
    if (length <= room) return new Text(out, length)
    room = length
  }
}

export function integer(key: string, fallback: i64 = 0): i64 {
  const value = get(key)
  return value === null || value.isEmpty ? fallback : readInteger(value.at, value.at + value.length, fallback)
}

/** False when a quota is used up. Without `ttlSeconds` it is kept as long as the gateway allows. */
export function set(key: string, value: string, ttlSeconds: i32 = 0): bool {
  return put(key, encode(value), ttlSeconds)
}

export function setInteger(key: string, value: i64, ttlSeconds: i32 = 0): bool {
  const digits = new Buffer(20)
  digits.integer(value)
  return put(key, digits, ttlSeconds)
}

export function remove(key: string): void {
  const name = encode(key)
  kvDelete(name.at, name.length)
}

function put(key: string, value: Buffer, ttlSeconds: i32): bool {
  const name = encode(key)
  return kvSet(name.at, name.length, value.at, value.length, ttlSeconds) === 1
}
