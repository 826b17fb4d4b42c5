import { randomBytes } from 'node:crypto'
import type { UserRef } from '@gatehouse/sdk'
import type {
  ConsoleSessionRow,
  ConsoleSessionRows,
  IdpSession,
  PersonRow,
  SignInMethod,
} from '../db/repositories/console-sessions.js'
import { GatehouseError } from '../errors.js'
import { hashSecret } from './tokens.js'

const HOUR = 3_600_000
export const SESSION_IDLE_MS = 12 * HOUR
export const SESSION_TOTAL_MS = 7 * 24 * HOUR
/** How often a use is written down. */
const SEEN_MS = 60_000

/** A person in front of a browser. */
export interface SignedIn {
  readonly user: UserRef
  /** SHA-256 of the session's secret: names the session wherever something is bound to it. */
  readonly sessionHash: string
  readonly method: SignInMethod
  /** The sign-in at an identity provider that it rests on. */
  readonly idp: IdpSession | null
  /** Milliseconds since the epoch. */
  readonly since: number
}

/** A session as its owner sees it. */
export type OpenSession = Omit<ConsoleSessionRow, 'user'>

/** Who is signed in to this workspace, for the console and for the pages that AI clients lead to alike. */
export interface ConsoleSessions {
  /** Null when there is no such session, it has ended, or its person is disabled. Asks the database each time. */
  of(secret: string | undefined): Promise<SignedIn | null>
  /**
   * Signs in: always a new secret, and the one before it ends (session fixation). Throws GH_PAGE_DISABLED for whoever may not:
   * a person who is disabled, and the account of the command line.
   */
  open(
    userId: string,
    how: { readonly method: SignInMethod; readonly idp?: IdpSession; readonly instead?: string | undefined },
  ): Promise<string>
  end(secret: string): Promise<void>
  /** Ends all sessions of a person, but one by its hash. */
  endOf(userId: string, but?: string): Promise<number>
  endOfIdp: ConsoleSessionRows['endOfIdp']
  /** A person as a session would show them; null when there is none or they are disabled. */
  person(userId: string): Promise<UserRef | null>
  /** All of a person, oldest first. */
  list(userId: string): Promise<readonly OpenSession[]>
  /** Ends one of a person's own, by its hash. */
  endOne(userId: string, sessionHash: string): Promise<void>
  sweep(): Promise<void>
}

/** Throws for a person who may not sign in by this method. */
export type MayOpen = (email: string, method: SignInMethod) => void

export function createConsoleSessions(
  rows: ConsoleSessionRows,
  { now = Date.now, mayOpen }: { readonly now?: () => number; readonly mayOpen?: MayOpen } = {},
): ConsoleSessions {
  /** A way that has been closed since closes for those who came by it, too. */
  const isStillTaken = ({ user, method }: ConsoleSessionRow): boolean => {
    try {
      mayOpen?.(user.email, method)
      return true
    } catch {
      return false
    }
  }
  return {
    async of(secret) {
      if (secret === undefined || secret === '') return null
      const sessionHash = hashSecret(secret)
      const row = await rows.find(sessionHash)
      if (row === null || !row.user.enabled) return null
      const at = now()
      if (!isOpen(row, at) || !isStillTaken(row)) return null
      if (at - row.seenAt > SEEN_MS) await rows.seen(sessionHash)
      return { user: userRef(row.user), sessionHash, method: row.method, idp: row.idp, since: row.createdAt }
    },
    async open(userId, { method, idp = null, instead }) {
      if (mayOpen) mayOpen((await rows.person(userId))?.email ?? '', method)
      const secret = randomBytes(32).toString('base64url')
      if (!(await rows.insert({ idHash: hashSecret(secret), userId, method, idp })))
        throw new GatehouseError('GH_PAGE_DISABLED', { detail: 'the person is disabled, or is none' })
      if (instead !== undefined) await rows.end(hashSecret(instead))
      return secret
    },
    end: (secret) => rows.end(hashSecret(secret)),
    endOf: rows.endOf,
    list: async (userId) => (await rows.of(userId)).filter((row) => isOpen(row, now())),
    endOne: rows.endOne,
    endOfIdp: rows.endOfIdp,
    async person(userId) {
      const row = await rows.person(userId)
      return row === null || !row.enabled ? null : userRef(row)
    },
    sweep: () => rows.sweep(SESSION_IDLE_MS, SESSION_TOTAL_MS),
  }
}

const isOpen = ({ seenAt, createdAt }: OpenSession, at: number): boolean =>
  at - seenAt <= SESSION_IDLE_MS && at - createdAt <= SESSION_TOTAL_MS

function userRef({ id, email, name, role, teams, capabilities }: PersonRow): UserRef {
  return Object.freeze({ id, email, name, role, teams, capabilities: new Set(capabilities) })
}
