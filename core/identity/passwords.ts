import type { Lock, PasswordRows } from '../db/repositories/passwords.js'
import type { Hasher } from './password-hash.js'

/** Five tries, then a rest of half a minute that doubles with each further failure. */
export const LOCK: Lock = Object.freeze({ most: 5, firstMs: 30_000, longestMs: 15 * 60_000 })

/** `reason` is for the log: to whoever tried, all but `disabled` look alike and take alike. */
export type PasswordCheck =
  | { readonly ok: true; readonly userId: string }
  | { readonly ok: false; readonly reason: string; readonly disabled: boolean }

/** The passwords of local accounts. */
export interface Passwords {
  /** Throws GH_PAGE_BUSY when too many are checked at once. */
  check(email: string, password: string): Promise<PasswordCheck>
  has(userId: string): Promise<boolean>
  /** Whether this is the person's password now; for what a signed-in person confirms. */
  confirms(email: string, password: string): Promise<boolean>
  set(userId: string, password: string): Promise<void>
  /** The same in two steps, for when something may happen once in between. Throws GH_PAGE_BUSY like `check`. */
  hash(password: string): Promise<string>
  keep(userId: string, hash: string): Promise<void>
  remove(userId: string): Promise<void>
}

export function createPasswords(rows: PasswordRows, hasher: Hasher): Passwords {
  const refuse = (reason: string, disabled = false): PasswordCheck => ({ ok: false, reason, disabled })
  const check = async (email: string, password: string): Promise<PasswordCheck> => {
    const row = await rows.tryOf(email.trim().toLowerCase(), LOCK)
    // A locked account is hashed for, too: nobody learns from the time which addresses there are.
    const isRight = await hasher.verify(password, row?.locked ? null : (row?.hash ?? null))
    if (row === null) return refuse('no person has this address')
    if (row.locked) return refuse('too many tries have failed; the account rests')
    if (row.hash === null) return refuse('the person has no password')
    if (!isRight) return refuse('the password is wrong')
    await rows.clear(row.userId)
    if (!row.enabled) return refuse('the person is disabled', true)
    if (hasher.isOutdated(row.hash)) await rows.set(row.userId, await hasher.hash(password), row.hash)
    return { ok: true, userId: row.userId }
  }
  return {
    check,
    confirms: async (email, password) => (await check(email, password)).ok,
    has: async (userId) => (await rows.of(userId)) !== null,
    set: async (userId, password) => void (await rows.set(userId, await hasher.hash(password))),
    hash: hasher.hash,
    keep: async (userId, hash) => void (await rows.set(userId, hash)),
    remove: rows.remove,
  }
}
