import { z } from 'zod'
import type { InvitationRow, NewcomerRows } from '../db/repositories/newcomers.js'
import type { OneTimeRows } from '../db/repositories/one-time.js'
import { createOneTime } from './one-time.js'
import type { Postman } from './postman.js'

const WEEK_MS = 7 * 24 * 3_600_000
const Invited = z.object({
  userId: z.string(),
  again: z.boolean().default(false),
  role: z.string().nullable().default(null),
})

export interface InvitationOptions {
  readonly rows: NewcomerRows
  readonly oneTime: OneTimeRows
  /** Null: no mail is sent, and links are copied. */
  readonly postman: Postman | null
  readonly url: () => string
  readonly onUnsent: (thrown: unknown) => void
}

/** Somebody who is asked to join, and by whom. */
export interface Asking {
  readonly user: { readonly id: string; readonly email: string; readonly role: string }
  /** They have been here before, and have lost their way in. */
  readonly again?: boolean
  readonly by: { readonly id: string; readonly name: string; readonly email: string }
}

export interface Sent {
  readonly id: string
  readonly email: string
  readonly mailed: boolean
  /** Null when it went out by mail: then it is nobody's but the mailbox's. */
  readonly url: string | null
  readonly expiresAt: string
}

/**
 * Links with which people who are known already come in for the first time. Good for a week, once, until they come another way,
 * and when they were to be copied, as long as the person is in the role of then: whoever copied it could be that person.
 */
export interface Invitations {
  /** Sends a new link; the one before it ends. */
  send(asking: Asking): Promise<Sent>
  pending(): Promise<readonly InvitationRow[]>
  /** Whom a link is for. */
  of(secret: string): Promise<string | null>
  /** The same, for one of all who ask; the invitation is settled with it. */
  take(secret: string): Promise<string | null>
  revoke(userId: string): Promise<void>
  /** Whether a person has ever come in. */
  hasCome: NewcomerRows['hasCome']
}

export function createInvitations({ rows, oneTime, postman, url, onUnsent }: InvitationOptions): Invitations {
  const links = createOneTime(oneTime, 'invite', Invited)
  const deliver = async (asking: Asking, link: string): Promise<boolean> => {
    try {
      await postman?.(mailOf(asking, link))
      return postman !== null
    } catch (thrown) {
      onUnsent(thrown)
      return false
    }
  }
  const peek = async (secret: string): Promise<string | null> => {
    const found = await links.peek(secret)
    if (found === null || (!found.again && (await rows.hasCome(found.userId)))) return null
    return found.role === null || (await rows.isIn(found.userId, found.role)) ? found.userId : null
  }
  return {
    async send(asking) {
      const { id, email, role } = asking.user
      await links.endOf(id)
      const expiresAt = Date.now() + WEEK_MS
      const { again = false } = asking
      const given = { payload: { userId: id, again, role: null }, ttlMs: WEEK_MS, userId: id }
      const secret = await links.mint(given)
      const link = `${url()}/auth/invite/${secret}`
      const mailed = await deliver(asking, link)
      if (!mailed) await links.put(secret, { ...given, payload: { ...given.payload, role } })
      await rows.invite({ userId: id, invitedBy: asking.by.id, mailed, expiresAt })
      return { id, email, mailed, url: mailed ? null : link, expiresAt: new Date(expiresAt).toISOString() }
    },
    pending: rows.invitations,
    of: peek,
    async take(secret) {
      if ((await peek(secret)) === null) return null
      const taken = await links.take(secret)
      if (taken !== null) await rows.settle(taken.userId)
      return taken?.userId ?? null
    },
    async revoke(userId) {
      await links.endOf(userId)
      await rows.settle(userId)
    },
    hasCome: rows.hasCome,
  }
}

const mailOf = (asking: Asking, link: string) =>
  asking.again ? recoveryMail(asking, link) : invitationMail(asking, link)

const nameOf = ({ name, email }: Asking['by']): string => (name === '' ? email : `${name} (${email})`)

const recoveryMail = ({ user, by }: Asking, link: string) => ({
  to: user.email,
  subject: 'Your way back into Gatehouse',
  text: `${nameOf(by)} sends you a new way into your account at Gatehouse.

Open this link to set a new password or passkey. It is good for seven days, and once; your sessions end with it:

  ${link}

If you did not ask for it, tell ${by.email}.
`,
})

const invitationMail = ({ user, by }: Asking, link: string) => ({
  to: user.email,
  subject: 'You are invited to Gatehouse',
  text: `${nameOf(by)} invites you to Gatehouse, where your AI clients reach
the tools of your company.

Open this link to set up your account. It is good for seven days, and once:

  ${link}

If you do not know what this is about, there is nothing to do.
`,
})
