import type { EntityManager } from 'typeorm'
import type { Grant, GrantRepository, UpstreamClientRepository } from '../../domain/store.js'
import type { Sealer } from './secrets.js'

const placeOf = (id: string) => ({ table: 'identity_grants', id, field: 'tokens' })

const SELECT = `select identity_id as "identityId", issuer, client_id as "clientId", scope, tokens, version,
  (extract(epoch from obtained_at) * 1000)::float8 as "obtainedAt",
  (extract(epoch from expires_at) * 1000)::float8 as "expiresAt",
  last_error as "lastError", wanted_scope as "wantedScope", step_ups as "stepUps",
  coalesce(wanted_for < authorised, false) as "isTried" from identity_grants`

const at = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))

export function grantRepository(manager: EntityManager, vault: Sealer): GrantRepository {
  const seal = (identityId: string, tokens: string) => vault.seal(tokens, placeOf(identityId))
  /** TypeORM answers rows for a CTE, and something else for a bare update. */
  const changed = async (sql: string, given: readonly unknown[]): Promise<boolean> => {
    const rows: unknown[] = await manager.query(`with done as (${sql} returning 1) select * from done`, [...given])
    return rows.length === 1
  }
  return {
    find: async (identityId) => {
      const [row]: Grant[] = await manager.query(`${SELECT} where identity_id = $1`, [identityId])
      return row === undefined ? null : { ...row, tokens: vault.openText(row.tokens, placeOf(identityId)) }
    },
    put: async ({ identityId, issuer, clientId, scope, tokens, expiresAt }) => {
      await manager.query(
        `insert into identity_grants (identity_id, issuer, client_id, scope, tokens, expires_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (identity_id) do update set issuer = excluded.issuer, client_id = excluded.client_id,
           scope = excluded.scope, tokens = excluded.tokens, expires_at = excluded.expires_at,
           version = identity_grants.version + 1, authorised = identity_grants.authorised + 1, obtained_at = clock_timestamp(), lease_until = null, last_error = null`,
        [identityId, issuer, clientId, scope, seal(identityId, tokens), at(expiresAt)],
      )
    },
    remove: async (identityId) => {
      await manager.query('delete from identity_grants where identity_id = $1', [identityId])
    },
    lease: (identityId, version, ms) =>
      changed(
        `update identity_grants set lease_until = clock_timestamp() + $3 * interval '1 millisecond'
         where identity_id = $1 and version = $2 and (lease_until is null or lease_until < clock_timestamp())`,
        [identityId, version, ms],
      ),
    renew: (version, { identityId, scope, tokens, expiresAt }) =>
      changed(
        `update identity_grants set tokens = $3, scope = $4, expires_at = $5, version = version + 1,
           obtained_at = clock_timestamp(), lease_until = null, last_error = null
         where identity_id = $1 and version = $2`,
        [identityId, version, seal(identityId, tokens), scope, at(expiresAt)],
      ),
    release: async (identityId, version, error) => {
      await manager.query(
        'update identity_grants set lease_until = null, last_error = $3 where identity_id = $1 and version = $2',
        [identityId, version, error],
      )
    },
    want: async (identityId, scope, stepUps) => {
      await manager.query(
        `update identity_grants set wanted_scope = $2, step_ups = $3, wanted_for = authorised where identity_id = $1`,
        [identityId, scope, stepUps],
      )
    },
    ofClient: async (serverId, issuer, clientId) => {
      const rows: { id: string }[] = await manager.query(
        `select g.identity_id as id from identity_grants g join identities i on i.id = g.identity_id
         where i.server_id = $1 and g.issuer = $2 and g.client_id = $3`,
        [serverId, issuer, clientId],
      )
      return rows.map(({ id }) => id)
    },
  }
}

const clientPlace = (serverId: string, issuer: string) => ({
  table: 'upstream_clients',
  id: `${serverId}/${issuer}`,
  field: 'registration',
})

export function upstreamClientRepository(manager: EntityManager, vault: Sealer): UpstreamClientRepository {
  return {
    find: async (serverId, issuer) => {
      const [row]: { registration: string }[] = await manager.query(
        'select registration from upstream_clients where server_id = $1 and issuer = $2',
        [serverId, issuer],
      )
      return row === undefined ? null : vault.openText(row.registration, clientPlace(serverId, issuer))
    },
    put: async (serverId, issuer, registration) => {
      await manager.query(
        `insert into upstream_clients (server_id, issuer, registration) values ($1, $2, $3)
         on conflict (server_id, issuer) do update set registration = excluded.registration,
           created_at = clock_timestamp()`,
        [serverId, issuer, vault.seal(registration, clientPlace(serverId, issuer))],
      )
    },
    remove: async (serverId, issuer) => {
      await manager.query('delete from upstream_clients where server_id = $1 and ($2::text is null or issuer = $2)', [
        serverId,
        issuer ?? null,
      ])
    },
  }
}
