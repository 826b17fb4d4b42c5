import type { EntityManager } from 'typeorm'
import type { Token } from '../../domain/nouns.js'
import type { TokenHolder, TokenRepository, TokenSeen } from '../../domain/store.js'
import { TokenEntity } from '../entities/host.js'
import { OWN_IDENTITIES } from './identities.js'
import { TOKEN } from './kinds.js'
import { mustName } from './hosts.js'
import { copyIfThere, isId, rowRepository } from './rows.js'
import { readSlice } from './slices.js'

export function tokenRepository(manager: EntityManager): TokenRepository {
  const { page: _page, ...rows } = rowRepository<Token, TokenEntity>(manager, TOKEN)
  return {
    ...rows,
    pageVisible: (slice, { access, adminOf, ...where }) =>
      readSlice<TokenSeen>(manager, visible(access, adminOf), { ...slice, where }),
    byHash: async (hash) => copyIfThere<Token>(await manager.findOneBy(TokenEntity, { hash })),
    holderOf: async (hash) => {
      const found: TokenHolder[] = await manager.query(HOLDER, [hash])
      return found[0] ?? null
    },
    removeOf: async (where) => void (await manager.delete(TokenEntity, mustName(where))),
    touch: async (ids, at) => {
      // An access token of the authorization server has no row of its own: its connection tells when it was used.
      await manager.query(TOUCH, [ids.filter(isId), at])
    },
  }
}

const TOUCH = `update tokens set last_used_at = $2
  where id = any($1::uuid[]) and (last_used_at is null or last_used_at < $2)`

const SELECT = `select c.id, c.managed_by as "managedBy", c.created_at as "createdAt", c.updated_at as "updatedAt",
  c.kind, c.label, c.last_four as "lastFour", c.connection_id as "connectionId", c.user_id as "userId",
  c.expires_at as "expiresAt", c.revoked_at as "revokedAt", c.last_used_at as "lastUsedAt", c.enabled, u.email as "user"
  from tokens c left join users u on u.id = c.user_id`

/** With the tests that are not of one column; the ids are our own. */
function visible(access: boolean, adminOf: string | null) {
  const own = adminOf === null ? 'true' : `c.user_id = '${mustBeId(adminOf)}'`
  const test = `(c.kind = 'access' and ${access} or c.kind = 'admin' and ${own})`
  const columns = { kind: 'kind', connectionId: 'connection_id', userId: 'user_id' }
  return { table: 'tokens', select: SELECT, columns, always: test }
}

function mustBeId(id: string): string {
  if (!isId(id)) throw new Error('it is no id')
  return id
}

/**
 * All that decides over a token, of one moment: one that was made here, or an access token of the authorization server.
 * Disabled teams grant nothing and are left out.
 */
const HOLDER = `with t as (
    select id::text as id, kind, enabled, expires_at, revoked_at is not null as revoked, connection_id, user_id,
      false as picker from tokens where hash = $1
    union all
    select a.id_hash, 'access', true, a.expires_at, false, g.connection_id, null, g.picker
      from oauth_artifacts a join connection_grants g on g.grant_hash = a.grant_hash
      where a.kind = 'AccessToken' and a.id_hash = $1)
  select t.id as "tokenId", t.kind, t.enabled as "tokenEnabled",
  (extract(epoch from t.expires_at) * 1000)::float8 as "expiresAt", t.revoked, t.picker,
  c.id as "connectionId", c.gateway_id as "gatewayId", c.enabled as "connectionEnabled",
  h.id as "hostId", h.title as "hostName", h.kind as "hostKind", h.enabled as "hostEnabled",
  u.id as "userId", u.email, u.name, u.role, u.enabled as "userEnabled", r.capabilities,
  array(select m.team_id::text from team_members m join teams on teams.id = m.team_id and teams.enabled
    where m.user_id = u.id) as teams,
  ${OWN_IDENTITIES} as own
  from t
  left join connections c on c.id = t.connection_id
  left join hosts h on h.id = c.host_id
  left join users u on u.id = case t.kind when 'access' then c.user_id else t.user_id end
  left join roles r on r.slug = u.role`
