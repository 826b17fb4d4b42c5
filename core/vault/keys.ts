import { createHash, createSecretKey, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { GatehouseError } from '../errors.js'

/** One master key. The key object prints and serialises as nothing. */
export interface MasterKey {
  /** The first eight hex digits of the key's SHA-256. */
  readonly id: string
  readonly key: KeyObject
}

export const KEY_BYTES = 32

export function masterKey(bytes: Uint8Array): MasterKey {
  return {
    id: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
    key: createSecretKey(Buffer.from(bytes)),
  }
}

/**
 * Reads base64 keys of 32 bytes, separated by commas or line ends, newest first. `origin` names where they stand; an error
 * names it and the position, never the text.
 */
export function parseMasterKeys(text: string, origin: string): MasterKey[] {
  const parts = text.split(/[\s,]+/).filter(Boolean)
  if (parts.length === 0) throw badKey(`${origin} has no key in it`)
  const keys = parts.map((part, index) =>
    masterKey(decodeKey(part, `key ${index + 1} of ${parts.length} in ${origin}`)),
  )
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw badKey(`${origin} has the same key twice`)
  return keys
}

function decodeKey(text: string, name: string): Buffer {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) throw badKey(`${name} is not base64`)
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== KEY_BYTES) throw badKey(`${name} has ${bytes.length} bytes; ${KEY_BYTES} are needed`)
  return bytes
}

/** A key of its own for one purpose, so that no two uses of a master key share one. 32 bytes, the same at every call. */
export function deriveKey({ id, key }: MasterKey, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, id, `gatehouse ${purpose}`, KEY_BYTES))
}

export function badKey(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError('GH_VAULT_KEY', { message, cause })
}
