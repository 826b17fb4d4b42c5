import type { EntityManager } from 'typeorm'
import { OPERATOR_EMAIL } from '../../domain/people.js'
import { guardAll } from './failures.js'

export type SignInMethod = 'setup' | 'invite' | 'password' | 'passkey' | 'code' | 'sso'

/** The sign-in at an identity provider that a session rests on. */
export interface IdpSession {
  readonly idpId: string
  readonly issuer: string
  readonly subject: string
  /** The provider's own session (`sid`), when it names one. */
  readonly session: string | null
}

/** A session with all that decides over it, of one moment. */
export interface ConsoleSessionRow {
  readonly idHash: string
  readonly method: SignInMethod
  readonly idp: IdpSession | null
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly seenAt: number
  readonly user: PersonRow
}

/** A person with role and enabled teams, of one moment. */
export interface PersonRow {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: string
  readonly enabled: boolean
  readonly capabilities: readonly string[]
  readonly teams: readonly string[]
}

export interface ConsoleSessionRows {
  /** False for a person who is disabled, and for the account of the command line, which is none. Notes that they came. */
  insert(row: {
    readonly idHash: string
    readonly userId: string
    readonly method: SignInMethod
    readonly idp: IdpSession | null
  }): Promise<boolean>
  /** Null as well when its provider is disabled or gone: a sign-in that was under way then opens nothing. */
  find(idHash: string): Promise<ConsoleSessionRow | null>
  /** A person by id, as a session would show them. */
  person(userId: string): Promise<PersonRow | null>
  seen(idHash: string): Promise<void>
  end(idHash: string): Promise<void>
  /** Ends all sessions of a person; answers how many. */
  endOf(userId: string, but?: string): Promise<number>
  /** Ends what rests on a provider's session, or without one on its subject; answers how many. */
  endOfIdp(issuer: string, which: { readonly session: string } | { readonly subject: string }): Promise<number>
  endOne(userId: string, idHash: string): Promise<void>
  of(userId: string): Promise<readonly Omit<ConsoleSessionRow, 'user'>[]>
  sweep(idleMs: number, totalMs: number): Promise<void>
}

const PERSON = `u.id, u.email, u.name, u.role, u.enabled, r.capabilities,
  array(select m.team_id::text from team_members m join teams on teams.id = m.team_id and teams.enabled
    where m.user_id = u.id) as teams`
const SESSION = `s.id_hash as "idHash", s.method, s.idp_id as "idpId", s.idp_issuer as issuer, s.idp_subject as subject,
  s.idp_session as session, (extract(epoch from s.created_at) * 1000)::float8 as "createdAt",
  (extract(epoch from s.seen_at) * 1000)::float8 as "seenAt"`

type Flat = Omit<ConsoleSessionRow, 'user' | 'idp'> & { readonly [K in keyof IdpSession]: IdpSession[K] | null }

export function createConsoleSessionRows(manager: EntityManager): ConsoleSessionRows {
  const count = async (sql: string, given: readonly unknown[]): Promise<number> => {
    const gone: unknown[] = await manager.query(`with gone as (${sql} returning 1) select * from gone`, [...given])
    return gone.length
  }
  return guardAll({
    insert: async ({ idHash, userId, method, idp }: Parameters<ConsoleSessionRows['insert']>[0]) => {
      const { idpId = null, issuer = null, subject = null, session = null } = idp ?? {}
      const made: unknown[] = await manager.query(
        `with come as (insert into arrivals (user_id) select id from users where id = $2 and enabled and email <> $8
           on conflict (user_id) do update set last_at = clock_timestamp() returning user_id),
         made as (insert into console_sessions (id_hash, user_id, method, idp_id, idp_issuer, idp_subject, idp_session)
           select $1, user_id, $3, $4, $5, $6, $7 from come returning 1)
         select * from made`,
        [idHash, userId, method, idpId, issuer, subject, session, OPERATOR_EMAIL],
      )
      return made.length === 1
    },
    find: async (idHash: string) => {
      const rows: (Flat & PersonRow)[] = await manager.query(
        `select ${SESSION}, ${PERSON} from console_sessions s join users u on u.id = s.user_id
         join roles r on r.slug = u.role where s.id_hash = $1
           and (s.idp_id is null or exists (select from idps i where i.id = s.idp_id and i.enabled))`,
        [idHash],
      )
      const [row] = rows
      return row === undefined ? null : { ...sessionOf(row), user: personOf(row) }
    },
    person: async (userId: string) => {
      const rows: PersonRow[] = await manager.query(
        `select ${PERSON} from users u join roles r on r.slug = u.role where u.id = $1`,
        [userId],
      )
      return rows[0] === undefined ? null : personOf(rows[0])
    },
    seen: async (idHash: string) => {
      await manager.query('update console_sessions set seen_at = clock_timestamp() where id_hash = $1', [idHash])
    },
    end: async (idHash: string) => {
      await manager.query('delete from console_sessions where id_hash = $1', [idHash])
    },
    endOne: async (userId: string, idHash: string) => {
      await manager.query('delete from console_sessions where user_id = $1 and id_hash = $2', [userId, idHash])
    },
    endOf: (userId: string, but: string = '') =>
      count('delete from console_sessions where user_id = $1 and id_hash <> $2', [userId, but]),
    endOfIdp: (issuer: string, which: Parameters<ConsoleSessionRows['endOfIdp']>[1]) =>
      'session' in which
        ? count('delete from console_sessions where idp_issuer = $1 and idp_session = $2', [issuer, which.session])
        : count('delete from console_sessions where idp_issuer = $1 and idp_subject = $2', [issuer, which.subject]),
    of: async (userId: string) => {
      const rows: Flat[] = await manager.query(
        `select ${SESSION} from console_sessions s where s.user_id = $1 order by s.created_at`,
        [userId],
      )
      return rows.map(sessionOf)
    },
    sweep: async (idleMs: number, totalMs: number) => {
      await manager.query(
        `delete from console_sessions where seen_at < clock_timestamp() - make_interval(secs => $1)
         or created_at < clock_timestamp() - make_interval(secs => $2)`,
        [idleMs / 1000, totalMs / 1000],
      )
    },
  })
}

function sessionOf({ idHash, method, createdAt, seenAt, ...row }: Flat): Omit<ConsoleSessionRow, 'user'> {
  const { idpId, issuer, subject, session } = row
  const idp = idpId === null || issuer === null || subject === null ? null : { idpId, issuer, subject, session }
  return { idHash, method, createdAt, seenAt, idp }
}

const personOf = ({ id, email, name, role, enabled, capabilities, teams }: PersonRow): PersonRow => ({
  id,
  email,
  name,
  role,
  enabled,
  capabilities,
  teams,
})
