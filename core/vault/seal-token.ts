import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { MasterKey } from './keys.js'
import { deriveKey } from './keys.js'

/**
 * Seals what a client holds for us: it can neither read nor change it, and it opens only beside the same `bound` parts,
 * which do not travel. `gh1.<kid>.<base64url(nonce 12 | ciphertext | tag 16)>`, AES-256-GCM.
 */
export interface TokenSealer {
  seal(plain: string, bound: readonly string[]): string
  /** Null when anything differs, or its key is older than two days. */
  open(token: string, bound: readonly string[]): string | null
}

const DAY = 86_400_000
const CIPHER = 'aes-256-gcm'
const NONCE = 12
const TAG = 16
/** Days before today whose keys still open. */
const FORMER_DAYS = 2

/** Each day has a key of its own, derived from the newest master key for this purpose; every master key that is here opens. */
export function createTokenSealer(
  keys: readonly MasterKey[],
  purpose: string,
  now: () => number = Date.now,
): TokenSealer {
  const made = new Map<string, Buffer>()
  let madeOn = -1

  const today = () => Math.floor(now() / DAY)
  const kidOf = ({ id }: MasterKey, day: number) =>
    createHash('sha256').update(`${purpose} ${id} ${day}`).digest('base64url').slice(0, 4)

  function renew(): void {
    if (madeOn === today()) return
    made.clear()
    madeOn = today()
    for (let day = madeOn; day >= madeOn - FORMER_DAYS; day -= 1)
      for (const key of keys) {
        const kid = kidOf(key, day)
        if (!made.has(kid)) made.set(kid, deriveKey(key, `${purpose} ${day}`))
      }
  }

  return {
    seal(plain, bound) {
      renew()
      const [kid, key] = made.entries().next().value as [string, Buffer]
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(associated(kid, bound))
      const body = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final()])
      return `gh1.${kid}.${Buffer.concat([body, cipher.getAuthTag()]).toString('base64url')}`
    },
    open(token, bound) {
      renew()
      const [, kid = '', text = ''] = /^gh1\.([A-Za-z0-9_-]{4})\.([A-Za-z0-9_-]+)$/.exec(token) ?? []
      const key = made.get(kid)
      const box = Buffer.from(text, 'base64url')
      // Only the one canonical spelling is taken: unused bits of the last sign would else be a second one.
      if (key === undefined || box.length < NONCE + TAG || box.toString('base64url') !== text) return null
      try {
        const cipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE), { authTagLength: TAG })
        cipher.setAAD(associated(kid, bound)).setAuthTag(box.subarray(box.length - TAG))
        const plain = cipher.update(box.subarray(NONCE, box.length - TAG))
        return Buffer.concat([plain, cipher.final()]).toString('utf8')
      } catch {
        return null
      }
    },
  }
}

// A JSON array cannot be read in two ways, whatever its strings hold.
function associated(kid: string, bound: readonly string[]): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(['gh1', kid, ...bound]))
    .digest()
}
