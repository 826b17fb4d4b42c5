import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'
import type { Sealer } from './secrets.js'

/** Codes, tokens, sessions, interactions, grants: by kind and the SHA-256 of what names them. */
export interface ArtifactRows {
  /** `payload` is kept sealed. One of the same name is replaced, but its count of uses stays. */
  put(row: ArtifactRow): Promise<void>
  /** Also for a while after it has expired or was used, so that a replay can be told from a stranger. */
  find(kind: string, idHash: string): Promise<FoundArtifact | null>
  findByUid(kind: string, uidHash: string): Promise<FoundArtifact | null>
  /**
   * Marks it as used, for one caller alone. Within `seconds` of its first use it may be used again, `uses` times in all (0: not
   * at all). False: it was used before.
   */
  consume(kind: string, idHash: string, again: Reuse): Promise<boolean>
  /** Answers whether there was one. */
  destroy(kind: string, idHash: string): Promise<boolean>
  /** All of one kind that stand for a grant; answers how many. */
  destroyOfGrant(kind: string, grantHash: string): Promise<number>
  /** Deletes what has expired, at most `limit` rows; answers how many. */
  sweep(limit: number): Promise<number>
}

export interface ArtifactRow {
  readonly kind: string
  readonly idHash: string
  readonly grantHash: string | null
  readonly uidHash: string | null
  readonly payload: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export interface FoundArtifact {
  readonly idHash: string
  readonly payload: string
  /** Milliseconds since its first use; null: not used yet. */
  readonly usedMsAgo: number | null
}

export interface Reuse {
  readonly seconds: number
  readonly uses: number
}

interface Row {
  readonly idHash: string
  readonly payload: string
  readonly usedMsAgo: number | null
}

const SELECT = `select id_hash as "idHash", payload,
  (extract(epoch from clock_timestamp() - consumed_at) * 1000)::float8 as "usedMsAgo" from oauth_artifacts`
/** A code that has just expired is still known: what is done with it then is told from what nobody ever gave out. */
const STILL_KNOWN = `expires_at > clock_timestamp() - interval '60 seconds'`

export function createArtifactRows(manager: EntityManager, vault: Sealer): ArtifactRows {
  const placeOf = (kind: string, idHash: string) => ({
    table: 'oauth_artifacts',
    id: `${kind}/${idHash}`,
    field: 'payload',
  })
  const open = (kind: string, [row]: readonly Row[]): FoundArtifact | null =>
    row === undefined ? null : { ...row, payload: vault.openText(row.payload, placeOf(kind, row.idHash)) }
  const count = async (sql: string, given: readonly unknown[]): Promise<number> =>
    ((await manager.query(`with done as (${sql} returning 1) select * from done`, [...given])) as unknown[]).length

  return guardAll({
    put: async ({ kind, idHash, grantHash, uidHash, payload, expiresAt }: ArtifactRow) => {
      await manager.query(
        `insert into oauth_artifacts (kind, id_hash, grant_hash, uid_hash, payload, expires_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (kind, id_hash) do update set grant_hash = excluded.grant_hash, uid_hash = excluded.uid_hash,
           payload = excluded.payload, expires_at = excluded.expires_at`,
        [kind, idHash, grantHash, uidHash, vault.seal(payload, placeOf(kind, idHash)), new Date(expiresAt)],
      )
    },
    find: async (kind: string, idHash: string) =>
      open(kind, await manager.query(`${SELECT} where kind = $1 and id_hash = $2 and ${STILL_KNOWN}`, [kind, idHash])),
    findByUid: async (kind: string, uidHash: string) =>
      open(
        kind,
        await manager.query(`${SELECT} where kind = $1 and uid_hash = $2 and ${STILL_KNOWN}`, [kind, uidHash]),
      ),
    consume: async (kind: string, idHash: string, { seconds, uses }: Reuse) =>
      (await count(
        `update oauth_artifacts set consumed_at = coalesce(consumed_at, clock_timestamp()), uses = uses + 1
         where kind = $1 and id_hash = $2
           and (consumed_at is null or (consumed_at > clock_timestamp() - make_interval(secs => $3) and uses < $4))`,
        [kind, idHash, seconds, uses],
      )) === 1,
    destroy: async (kind: string, idHash: string) =>
      (await count('delete from oauth_artifacts where kind = $1 and id_hash = $2', [kind, idHash])) > 0,
    destroyOfGrant: (kind: string, grantHash: string) =>
      count('delete from oauth_artifacts where kind = $1 and grant_hash = $2', [kind, grantHash]),
    sweep: (limit: number) =>
      count(
        `delete from oauth_artifacts where ctid in (
           select ctid from oauth_artifacts where expires_at < clock_timestamp() - interval '5 minutes' limit $1)`,
        [limit],
      ),
  })
}
