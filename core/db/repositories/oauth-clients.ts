import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'
import type { Sealer } from './secrets.js'

export interface ClientRow {
  readonly clientId: string
  /** `dcr`: registered by itself; `admin`: made by an administrator. */
  readonly origin: 'dcr' | 'admin'
  readonly name: string
  /** JSON of its metadata (RFC 7591); may hold a secret, and is kept sealed. */
  readonly metadata: string
}

export interface StoredClient extends ClientRow {
  readonly createdAt: string
}

export interface ClientRows {
  find(clientId: string): Promise<StoredClient | null>
  /** One that is known already stays as it is: whoever registers under the same name changes nothing of it. */
  add(row: ClientRow): Promise<void>
  /** Oldest first. */
  ofAdmins(): Promise<readonly StoredClient[]>
  remove(clientId: string): Promise<boolean>
  /** From now on it is kept. */
  granted(clientId: string): Promise<void>
  /** Deletes registered clients that nobody granted anything within a day, and the oldest past `most`; answers how many. */
  sweep(most: number, limit: number): Promise<number>
}

const SELECT = `select client_id as "clientId", origin, name, metadata, created_at as "createdAt" from oauth_clients`
type Row = Omit<StoredClient, 'createdAt'> & { readonly createdAt: Date }

export function createClientRows(manager: EntityManager, vault: Sealer): ClientRows {
  const placeOf = (clientId: string) => ({ table: 'oauth_clients', id: clientId, field: 'metadata' })
  const open = (row: Row): StoredClient => ({
    ...row,
    metadata: vault.openText(row.metadata, placeOf(row.clientId)),
    createdAt: row.createdAt.toISOString(),
  })
  const select = async (rest: string, given: readonly unknown[]): Promise<StoredClient[]> =>
    ((await manager.query(`${SELECT} ${rest}`, [...given])) as Row[]).map(open)

  return guardAll({
    find: async (clientId: string) => (await select('where client_id = $1', [clientId]))[0] ?? null,
    add: async ({ clientId, origin, name, metadata }: ClientRow) => {
      await manager.query(
        `insert into oauth_clients (client_id, origin, name, metadata) values ($1, $2, $3, $4)
         on conflict (client_id) do update set used_at = clock_timestamp()`,
        [clientId, origin, name, vault.seal(metadata, placeOf(clientId))],
      )
    },
    ofAdmins: () => select(`where origin = 'admin' order by created_at, client_id`, []),
    remove: async (clientId: string) =>
      (
        (await manager.query(
          'with gone as (delete from oauth_clients where client_id = $1 returning 1) select * from gone',
          [clientId],
        )) as unknown[]
      ).length > 0,
    granted: async (clientId: string) => {
      await manager.query('update oauth_clients set granted = true, used_at = clock_timestamp() where client_id = $1', [
        clientId,
      ])
    },
    sweep: async (most: number, limit: number) => {
      const gone: unknown[] = await manager.query(SWEEP, [most, limit])
      return gone.length
    },
  })
}

const SWEEP = `with gone as (delete from oauth_clients where client_id in (
  select client_id from oauth_clients where not granted and origin = 'dcr' and used_at < clock_timestamp() - interval '24 hours'
  union
  select client_id from (select client_id from oauth_clients where not granted and origin = 'dcr'
    order by created_at desc offset $1) as past
  limit $2) returning 1) select * from gone`
