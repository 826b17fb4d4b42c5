import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'

/** A person who has been asked to come and has not signed in since. */
export interface InvitationRow {
  /** The person's. */
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: string
  readonly invitedBy: string | null
  readonly mailed: boolean
  readonly createdAt: string
  readonly expiresAt: string
}

/** People who have not come yet. */
export interface NewcomerRows {
  /** Oldest first. */
  invitations(): Promise<readonly InvitationRow[]>
  /** Asks a person to join, or asks anew. */
  invite(invitation: {
    readonly userId: string
    readonly invitedBy: string | null
    readonly mailed: boolean
    readonly expiresAt: number
  }): Promise<void>
  /** There is nothing to accept any more. */
  settle(userId: string): Promise<void>
  /** Whether a person has ever signed in, or has a password or passkey to do it with. */
  hasCome(userId: string): Promise<boolean>
  /** Whether this is the person's role now. */
  isIn(userId: string, role: string): Promise<boolean>
  /** Whether a person with this role has ever signed in and may still; `not` is nobody's but the system's. */
  hasComeAs(role: string, not: string): Promise<boolean>
}

const INVITATIONS = `select u.id, u.email, u.name, u.role, b.email as "invitedBy", i.mailed,
  i.created_at as "createdAt", i.expires_at as "expiresAt"
  from invitations i join users u on u.id = i.user_id left join users b on b.id = i.invited_by
  where not exists (select from arrivals a where a.user_id = u.id and a.last_at > i.created_at) order by i.created_at, u.id`

type Raw = Omit<InvitationRow, 'createdAt' | 'expiresAt'> & { readonly createdAt: Date; readonly expiresAt: Date }

export function createNewcomerRows(manager: EntityManager): NewcomerRows {
  const is = async (sql: string, given: readonly unknown[]): Promise<boolean> => {
    const rows: { is: boolean }[] = await manager.query(`select exists (${sql}) as is`, [...given])
    return rows[0]?.is === true
  }
  return guardAll({
    invitations: async () => {
      const rows: Raw[] = await manager.query(INVITATIONS)
      return rows.map(({ createdAt, expiresAt, ...row }) => ({
        ...row,
        createdAt: createdAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
      }))
    },
    invite: async ({ userId, invitedBy, mailed, expiresAt }: Parameters<NewcomerRows['invite']>[0]) => {
      await manager.query(
        `insert into invitations (user_id, invited_by, mailed, expires_at) values ($1, $2, $3, $4)
         on conflict (user_id) do update set invited_by = excluded.invited_by, mailed = excluded.mailed,
           created_at = clock_timestamp(), expires_at = excluded.expires_at`,
        [userId, invitedBy, mailed, new Date(expiresAt)],
      )
    },
    settle: async (userId: string) => {
      await manager.query('delete from invitations where user_id = $1', [userId])
    },
    hasCome: (userId: string) =>
      is(
        `select from arrivals where user_id = $1 union all select from passwords where user_id = $1
         union all select from passkeys where user_id = $1`,
        [userId],
      ),
    isIn: (userId: string, role: string) => is('select from users where id = $1 and role = $2', [userId, role]),
    hasComeAs: (role: string, not: string) =>
      is('select from users u join arrivals a on a.user_id = u.id where role = $1 and enabled and email <> $2', [
        role,
        not,
      ]),
  })
}
