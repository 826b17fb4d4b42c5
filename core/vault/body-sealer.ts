import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { SealedPart } from '../domain/record.js'
import { KEY_BYTES } from './keys.js'
import type { Vault } from './vault.js'

/** Where a sealed body belongs. It opens as this part of this message and nowhere else; `at` (milliseconds) tells its day. */
export interface BodyPlace {
  readonly at: number
  readonly id: string
  readonly leg: SealedPart
}

/** Where the sealed key of each day lies. Days are UTC, `YYYY-MM-DD`. */
export interface BodyKeyRows {
  find(day: string): Promise<string | null>
  /** Keeps this one unless the day has one; answers the one that stands. */
  keep(day: string, sealed: string): Promise<string>
}

/**
 * Seals what messages said before the rules. Each day has a key of its own, made once for all replicas and itself sealed by
 * the master key: a new master key seals a handful of keys anew and no body, and a day whose key is gone opens for nobody.
 */
export interface BodySealer {
  /** Base64; null when the key of that day is not at hand. Nothing is waited for: it is on the way of every call. */
  seal(place: BodyPlace, plain: string): string | null
  /** Null when the day's key is gone, or anything differs from what was sealed. */
  open(place: BodyPlace, box: Buffer): Promise<string | null>
  /** Makes sure of the keys of today and tomorrow; at the start and every few minutes. */
  ready(): Promise<void>
}

const DAY_MS = 86_400_000
const CIPHER = 'aes-256-gcm'
const VERSION = 1
const NONCE = 12
const TAG = 16

export function createBodySealer(
  rows: BodyKeyRows,
  vault: Pick<Vault, 'seal' | 'open'>,
  now: () => number = Date.now,
): BodySealer {
  const keys = new Map<string, Buffer>()
  const opened = (day: string, sealed: string): Buffer => {
    const key = vault.open(sealed, placeOf(day))
    keys.set(day, key)
    return key
  }
  const find = async (day: string): Promise<Buffer | null> => {
    const sealed = await rows.find(day)
    return sealed === null ? null : opened(day, sealed)
  }
  const make = async (day: string): Promise<Buffer> => {
    const made = randomBytes(KEY_BYTES)
    return opened(day, await rows.keep(day, vault.seal(made, placeOf(day))))
  }
  return {
    seal(place, plain) {
      const key = keys.get(dayOf(place.at))
      return key === undefined ? null : encrypt(key, place, plain).toString('base64')
    },
    async open(place, box) {
      const day = dayOf(place.at)
      const key = keys.get(day) ?? (await find(day))
      return key === null ? null : decrypt(key, place, box)
    },
    async ready() {
      const today = now()
      const days = [today - DAY_MS, today, today + DAY_MS].map(dayOf)
      for (const day of keys.keys()) if (!days.includes(day)) keys.delete(day)
      for (const day of days) if (!keys.has(day)) await ((await find(day)) ?? (day === days[0] ? null : make(day)))
    },
  }
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
const placeOf = (day: string) => ({ table: 'body_keys', id: day, field: 'sealed' })

/** Each message has its own key, so that no number of messages a day wears out the nonces of one (NIST SP 800-38D, 8.3). */
const keyOf = (dayKey: Buffer, { id }: BodyPlace): Buffer => createHmac('sha256', dayKey).update(`body ${id}`).digest()
const bound = ({ id, leg }: BodyPlace): Buffer => Buffer.from(JSON.stringify([VERSION, id, leg]))

function encrypt(dayKey: Buffer, place: BodyPlace, plain: string): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(CIPHER, keyOf(dayKey, place), nonce).setAAD(bound(place))
  const body = Buffer.concat([Buffer.of(VERSION), nonce, cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([body, cipher.getAuthTag()])
}

function decrypt(dayKey: Buffer, place: BodyPlace, box: Buffer): string | null {
  if (box.length < 1 + NONCE + TAG || box[0] !== VERSION) return null
  try {
    const cipher = createDecipheriv(CIPHER, keyOf(dayKey, place), box.subarray(1, 1 + NONCE), { authTagLength: TAG })
    cipher.setAAD(bound(place)).setAuthTag(box.subarray(box.length - TAG))
    const plain = cipher.update(box.subarray(1 + NONCE, box.length - TAG))
    return Buffer.concat([plain, cipher.final()]).toString('utf8')
  } catch {
    return null
  }
}
