import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { GatehouseError } from '../errors.js'

/** The cost of scrypt (RFC 7914): N = 2^log2N, block size r, parallelism p. It stands in each hash, so it may rise. */
export interface Cost {
  readonly log2N: number
  readonly r: number
  readonly p: number
}

/** 32 MiB and a third of a second on one core of 2026. */
export const COST: Cost = Object.freeze({ log2N: 15, r: 8, p: 3 })
const LENGTH = 32
/** Each hash holds one thread of the pool that files and names are looked up with, and 32 MiB. */
const AT_ONCE = 2
const WAITING = 24

/** Hashes passwords, few at a time: GH_PAGE_BUSY when too many wait. */
export interface Hasher {
  hash(password: string): Promise<string>
  /** False as well for what is no hash of ours. Null takes as long as any hash: nobody learns that there is none. */
  verify(password: string, stored: string | null): Promise<boolean>
  /** Whether a hash was made at another cost than today's. */
  isOutdated(stored: string): boolean
}

export function createHasher(cost: Cost = COST): Hasher {
  const queue = createQueue()
  const format = ({ log2N, r, p }: Cost) => `scrypt$${log2N}$${r}$${p}$`
  const dummy = `${format(cost)}${randomBytes(16).toString('base64url')}$${randomBytes(LENGTH).toString('base64url')}`
  return {
    hash: async (password) => {
      const salt = randomBytes(16)
      const key = await queue(() => derive(password, salt, cost))
      return `${format(cost)}${salt.toString('base64url')}$${key.toString('base64url')}`
    },
    verify: async (password, stored) => {
      const read = readHash(stored ?? dummy)
      if (read === null) return false
      const key = await queue(() => derive(password, read.salt, read.cost))
      return timingSafeEqual(key, read.key) && stored !== null
    },
    isOutdated: (stored) => !stored.startsWith(format(cost)),
  }
}

function readHash(stored: string) {
  const [name, log2N, r, p, salt, key] = stored.split('$')
  if (name !== 'scrypt' || salt === undefined || key === undefined) return null
  const bytes = Buffer.from(key, 'base64url')
  if (bytes.length !== LENGTH) return null
  return {
    cost: { log2N: Number(log2N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64url'),
    key: bytes,
  }
}

/** The same letters typed on two keyboards may come as other code points: normalised (RFC 8265, section 4.2). */
function derive(password: string, salt: Buffer, { log2N, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** log2N
  // What is needed, and a little; the default limit of 32 MiB refuses our cost.
  const maxmem = 128 * r * (N + p + 2) + 1024 * 1024
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, LENGTH, { N, r, p, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING) throw new GatehouseError('GH_PAGE_BUSY', { detail: 'too many passwords to check' })
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      // The place is handed over, so that nobody who comes just now slips in.
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
