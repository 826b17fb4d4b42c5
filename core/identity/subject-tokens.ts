import { z } from 'zod'
import type { OneTimeRows } from '../db/repositories/one-time.js'
import { createOneTime } from './one-time.js'

/** The ID token of a person's last sign-in at an identity provider, for a token exchange in their name. */
export interface SubjectToken {
  readonly idToken: string
  readonly issuer: string
  /** The identity provider that it came through. */
  readonly idpId: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Kept sealed, and no longer than the token itself lasts. */
export interface SubjectTokens {
  /** Null when the person has not signed in at a provider, the token has run out, or the provider ended the session. */
  of(userId: string): Promise<SubjectToken | null>
  keep(userId: string, token: SubjectToken): Promise<void>
  forget(userId: string): Promise<void>
}

const Shape = z.object({ idToken: z.string(), issuer: z.string(), idpId: z.string(), expiresAt: z.number() })
/** Some providers let ID tokens live for days. */
const LONGEST_MS = 24 * 3_600_000

export function createSubjectTokens(rows: OneTimeRows, now: () => number = Date.now): SubjectTokens {
  const kept = createOneTime(rows, 'subject_token', Shape, now)
  return {
    of: (userId) => kept.peek(userId),
    async keep(userId, payload) {
      const ttlMs = Math.min(payload.expiresAt - now(), LONGEST_MS)
      if (ttlMs > 0) await kept.put(userId, { payload, ttlMs, userId })
    },
    forget: (userId) => kept.endOf(userId),
  }
}
