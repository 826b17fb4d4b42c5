import type { EntityManager } from 'typeorm'
import type { IdpLink, IdpLinkRepository } from '../../domain/store.js'
import { isId } from './rows.js'

export function idpLinkRepository(manager: EntityManager): IdpLinkRepository {
  return {
    find: async (issuer, subject) => {
      const rows: IdpLink[] = await manager.query(
        `select issuer, subject, user_id as "userId", idp_id as "idpId" from idp_links
         where issuer = $1 and subject = $2`,
        [issuer, subject],
      )
      return rows[0] ?? null
    },
    put: async ({ issuer, subject, userId, idpId }) => {
      await manager.query('insert into idp_links (issuer, subject, user_id, idp_id) values ($1, $2, $3, $4)', [
        issuer,
        subject,
        userId,
        idpId,
      ])
    },
    isTied: async (userId, issuer) => {
      const rows: unknown[] = await manager.query(
        'select 1 from idp_links where user_id = $1 and issuer = $2 limit 1',
        [userId, issuer],
      )
      return rows.length > 0
    },
    untie: async (userId, idpId) => {
      const gone: unknown[] = await manager.query(
        `with gone as (delete from idp_links where user_id = $1 and idp_id = $2 returning 1) select * from gone`,
        [userId, idpId],
      )
      await manager.query('delete from console_sessions where user_id = $1 and idp_id = $2', [userId, idpId])
      return gone.length > 0
    },
    used: async (issuer, subject) => {
      await manager.query('update idp_links set last_used_at = clock_timestamp() where issuer = $1 and subject = $2', [
        issuer,
        subject,
      ])
    },
    reach: (idpId, domains) =>
      manager.query(
        `select u.role, bool_or(l.user_id is not null) as linked from users u
         left join idp_links l on l.user_id = u.id and l.idp_id = $1
         where l.user_id is not null or split_part(u.email, '@', 2) = any($2) group by u.role order by u.role`,
        [idpId, [...domains]],
      ),
    endSessions: async (idpId) => {
      if (!isId(idpId)) return 0
      const gone: unknown[] = await manager.query(
        'with gone as (delete from console_sessions where idp_id = $1 returning 1) select * from gone',
        [idpId],
      )
      return gone.length
    },
    teamsOf: async (userId) => {
      const rows: { slug: string }[] = await manager.query(
        `select t.slug from team_members m join teams t on t.id = m.team_id where m.user_id = $1 order by t.slug`,
        [userId],
      )
      return rows.map(({ slug }) => slug)
    },
    join: async (userId, teams) => {
      await manager.query(
        `insert into team_members (team_id, user_id) select id, $1 from teams where slug = any($2)
         on conflict do nothing`,
        [userId, [...teams]],
      )
    },
    leave: async (userId, teams) => {
      await manager.query(
        `delete from team_members where user_id = $1 and team_id in (select id from teams where slug = any($2))`,
        [userId, [...teams]],
      )
    },
  }
}
