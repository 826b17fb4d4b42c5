import { randomInt, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { OneTimeRows } from '../db/repositories/one-time.js'
import { createOneTime } from './one-time.js'
import type { Postman } from './postman.js'
import { hashSecret } from './tokens.js'

const TTL_MS = 10 * 60_000
const TRIES = 5
const Asked = z.object({ email: z.string(), userId: z.string().nullable(), hash: z.string() })

export interface EmailCodeOptions {
  readonly rows: OneTimeRows
  readonly postman: Postman
  /** Who has this e-mail address and may sign in; null: nobody. */
  readonly personOf: (email: string) => Promise<{ readonly id: string } | null>
  /** Throws when this address has been sent too many of late. */
  readonly throttle: (email: string) => Promise<void>
  readonly onUnsent: (thrown: unknown) => void
}

export type CodeCheck =
  | { readonly ok: true; readonly userId: string }
  | {
      readonly ok: false
      readonly reason: string
      /** Whether another try may be right. */
      readonly again: boolean
    }

/** Six digits that are sent by mail and are good for the browser that asked: one at a time, for ten minutes and five tries. */
export interface EmailCodes {
  /** Does the same, and takes as long, for an address that nobody has. */
  send(email: string, browserId: string): Promise<void>
  /** The address that this browser waits for a code to. */
  waiting(browserId: string): Promise<string | null>
  check(browserId: string, code: string): Promise<CodeCheck>
}

export function createEmailCodes({ rows, postman, personOf, throttle, onUnsent }: EmailCodeOptions): EmailCodes {
  const asked = createOneTime(rows, 'code', Asked)
  // Of six digits a plain hash is read back at once; this one takes the browser's secret, too.
  const hashOf = (browserId: string, code: string) => hashSecret(`${browserId} ${code}`)
  return {
    async send(email, browserId) {
      await throttle(email)
      const person = await personOf(email)
      const code = String(randomInt(1_000_000)).padStart(6, '0')
      const userId = person?.id ?? null
      await asked.put(browserId, { payload: { email, userId, hash: hashOf(browserId, code) }, ttlMs: TTL_MS, userId })
      // Not awaited: the time that mail takes would tell who has an account.
      if (person !== null) void postman(mailOf(email, code)).catch(onUnsent)
    },
    waiting: async (browserId) => (await asked.peek(browserId))?.email ?? null,
    async check(browserId, code) {
      const pending = await asked.peek(browserId)
      if (pending === null) return { ok: false, reason: 'no code is waited for, or it has expired', again: false }
      // Counted before it is looked at: of a thousand tries at once, five are.
      if ((await asked.tried(browserId, TRIES + 1)) === 0)
        return { ok: false, reason: 'too many tries of this code', again: false }
      const isRight = timingSafeEqual(Buffer.from(hashOf(browserId, code)), Buffer.from(pending.hash))
      if (!isRight || pending.userId === null) return { ok: false, reason: 'the code is wrong', again: true }
      if ((await asked.take(browserId)) === null)
        return { ok: false, reason: 'the code was used already', again: false }
      return { ok: true, userId: pending.userId }
    },
  }
}

const mailOf = (to: string, code: string) => ({
  to,
  subject: `${code} is your code for Gatehouse`,
  text: `Your code to sign in is

  ${code}

It is good for ten minutes, in the browser that asked for it. Give it to nobody.
If you did not ask for it, somebody has typed your address: there is nothing to do.
`,
})
