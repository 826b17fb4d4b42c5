import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { badKey, deriveKey, KEY_BYTES } from './keys.js'
import type { MasterKey } from './keys.js'
import { GatehouseError } from '../errors.js'

/** `v1.<kid>.<base64url>`: what lies in the database in a secret's place. */
export type Sealed = string

/** Where a secret belongs. It opens there and nowhere else. */
export interface SealContext {
  readonly table: string
  readonly id: string
  readonly field: string
}

export interface Vault {
  readonly currentKeyId: string
  seal(plain: string | Uint8Array, context: SealContext): Sealed
  /** Throws GH_VAULT_OPEN if anything differs from what was sealed, GH_VAULT_UNKNOWN_KEY if its master key is not here. */
  open(sealed: Sealed, context: SealContext): Buffer
  openText(sealed: Sealed, context: SealContext): string
  keyId(sealed: Sealed): string
  needsRotation(sealed: Sealed): boolean
}

const VERSION = 'v1'
const CIPHER = 'aes-256-gcm'
const NONCE = 12
const TAG = 16
const BOX = NONCE + TAG
const WRAPPED = BOX + KEY_BYTES

/**
 * Envelope encryption: each secret has a data key of its own, sealed by the master key; both are bound to version, master
 * key, table, record and field. The first key seals, all open.
 */
export function createVault(keys: readonly MasterKey[]): Vault {
  const [current] = keys
  if (!current) throw badKey('no master key was given')
  const { id: currentId } = current
  const wrapping = new Map(keys.map((key) => [key.id, wrappingKey(key)]))
  const sealingKey = wrappingKey(current)

  function seal(plain: string | Uint8Array, context: SealContext): Sealed {
    const dataKey = randomBytes(KEY_BYTES)
    const wrapped = encrypt(sealingKey, dataKey, bound('key', currentId, context))
    const body = encrypt(dataKey, plain, bound('secret', currentId, context))
    dataKey.fill(0)
    return `${VERSION}.${currentId}.${Buffer.concat([wrapped, body]).toString('base64url')}`
  }

  function open(sealed: Sealed, context: SealContext): Buffer {
    const { id, bytes } = parse(sealed)
    const key = wrapping.get(id)
    if (!key) throw unknownKey(id, context)
    try {
      const dataKey = decrypt(key, bytes.subarray(0, WRAPPED), bound('key', id, context))
      const plain = decrypt(dataKey, bytes.subarray(WRAPPED), bound('secret', id, context))
      dataKey.fill(0)
      return plain
    } catch (cause) {
      throw doesNotOpen(context, cause)
    }
  }

  return {
    currentKeyId: currentId,
    seal,
    open,
    openText: (sealed, context) => open(sealed, context).toString('utf8'),
    keyId: (sealed) => parse(sealed).id,
    needsRotation: (sealed) => parse(sealed).id !== currentId,
  }
}

function wrappingKey(key: MasterKey): Buffer {
  return deriveKey(key, 'vault wrap 1')
}

// A JSON array cannot be read in two ways, whatever its strings hold.
function bound(layer: 'key' | 'secret', keyId: string, { table, id, field }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([VERSION, layer, keyId, table, id, field]))
}

function encrypt(key: Buffer, plain: string | Uint8Array, aad: Buffer): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(aad)
  const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
  cipher.final()
  return Buffer.concat([nonce, body, cipher.getAuthTag()])
}

function decrypt(key: Buffer, box: Buffer, aad: Buffer): Buffer {
  const cipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE), { authTagLength: TAG }).setAAD(aad)
  cipher.setAuthTag(box.subarray(box.length - TAG))
  const plain = cipher.update(box.subarray(NONCE, box.length - TAG))
  cipher.final()
  return plain
}

// Only the one canonical spelling is taken: unused bits of the last base64 sign would else be a second one.
function parse(sealed: Sealed): { id: string; bytes: Buffer } {
  const [, id = '', text = ''] = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/.exec(sealed) ?? []
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length < WRAPPED + BOX || bytes.toString('base64url') !== text) {
    throw new GatehouseError('GH_VAULT_OPEN', { message: 'a sealed secret is malformed' })
  }
  return { id, bytes }
}

function unknownKey(keyId: string, context: SealContext): GatehouseError {
  return new GatehouseError('GH_VAULT_UNKNOWN_KEY', {
    message: `a secret is sealed with master key ${keyId}, which is not among those given; add it after the newest`,
    detail: placeOf(context),
  })
}

function doesNotOpen(context: SealContext, cause: unknown): GatehouseError {
  return new GatehouseError('GH_VAULT_OPEN', {
    message: 'a sealed secret does not open: it was changed, or it belongs to another record',
    detail: placeOf(context),
    cause,
  })
}

function placeOf({ table, id, field }: SealContext): string {
  return `${table}.${field} of ${id}`
}
