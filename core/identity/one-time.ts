import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import type { OneTimeRows } from '../db/repositories/one-time.js'
import { hashSecret } from './tokens.js'

export interface Minting<T> {
  readonly payload: T
  readonly ttlMs: number
  /** What the holder must have besides the secret, such as the secret of a session; it is kept as a hash. */
  readonly bound?: string | null
  /** The person that it is about: with them it goes. */
  readonly userId?: string | null
}

/** Secrets that are given away and are good once, of one kind: links, codes, challenges, trips to another sign-in. */
export interface OneTime<T> {
  /** 256 random bits, in base64url. */
  mint(given: Minting<T>): Promise<string>
  /** The same for a secret that was made elsewhere; one that stands for it already is replaced. */
  put(secret: string, given: Minting<T>): Promise<void>
  /** What it stands for; null when it is unknown, spent, expired or bound to something else. */
  peek(secret: string, bound?: string | null): Promise<T | null>
  /** The same, and spends it: of many who ask at once, one gets it. Who is not bound spends nothing. */
  take(secret: string, bound?: string | null): Promise<T | null>
  /** Counts a failed try; past `most` it is spent. Answers how many tries are left. */
  tried(secret: string, most: number): Promise<number>
  /** Spends all that a person has. */
  endOf(userId: string): Promise<void>
}

/** `kind` keeps the secrets of one purpose apart from all others; `shape` reads back what was kept. */
export function createOneTime<T>(
  rows: OneTimeRows,
  kind: string,
  shape: z.ZodType<T>,
  now: () => number = Date.now,
): OneTime<T> {
  const hashed = (text: string | null | undefined) => (text === null || text === undefined ? null : hashSecret(text))
  const read = (text: string | null): T | null => {
    const parsed = text === null ? null : shape.safeParse(JSON.parse(text))
    return parsed?.success ? parsed.data : null
  }
  const put = (secret: string, { payload, ttlMs, bound, userId = null }: Minting<T>) =>
    rows.put({
      kind,
      hash: hashSecret(secret),
      bound: hashed(bound),
      userId,
      payload: JSON.stringify(payload),
      expiresAt: now() + ttlMs,
    })
  return {
    put,
    async mint(given) {
      const secret = randomBytes(32).toString('base64url')
      await put(secret, given)
      return secret
    },
    peek: async (secret, bound) => read(await rows.peek(kind, hashSecret(secret), hashed(bound))),
    take: async (secret, bound) => read(await rows.take(kind, hashSecret(secret), hashed(bound))),
    tried: (secret, most) => rows.tried(kind, hashSecret(secret), most),
    endOf: (userId) => rows.endOf(kind, userId),
  }
}
