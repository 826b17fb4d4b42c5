import { randomUUID } from 'node:crypto'
import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'

/** The links that an AI client gets when a person lets it in. */
export interface GrantRows {
  /** The host of a client, by what it calls itself and where it sends people back to; null: it never came before. */
  hostOf(clientKey: string): Promise<{ readonly id: string; readonly enabled: boolean } | null>
  connectionOf(link: Link): Promise<{ readonly id: string; readonly enabled: boolean } | null>
  /** Makes what is missing of host and connection, and puts the grant to them. */
  connect(grant: NewGrant): Promise<{ readonly hostId: string; readonly connectionId: string }>
  /** Ends a grant with all codes and tokens that stand for it; answers whether there was one. */
  end(grantHash: string): Promise<boolean>
  /** The same for all grants of a client. */
  endOfClient(clientId: string): Promise<number>
  /** Unties connections from grants that have expired, at most `limit`; answers how many. */
  sweep(limit: number): Promise<number>
}

export interface Link {
  readonly clientKey: string
  readonly gatewayId: string
  readonly userId: string
}

export interface NewGrant extends Link {
  readonly grantHash: string
  readonly clientId: string
  readonly picker: boolean
  /** Of the host, if it has to be made: what people see, and the beginning of its slug. */
  readonly title: string
  readonly slug: string
}

type Found = readonly { readonly id: string; readonly enabled: boolean }[]

export function createGrantRows(manager: EntityManager): GrantRows {
  return guardAll({
    hostOf: async (clientKey: string) =>
      ((await manager.query('select id, enabled from hosts where client_key = $1', [clientKey])) as Found)[0] ?? null,
    connectionOf: async ({ clientKey, gatewayId, userId }: Link) => {
      const found: Found = await manager.query(
        `select c.id, c.enabled from connections c join hosts h on h.id = c.host_id
         where h.client_key = $1 and c.gateway_id = $2 and c.user_id = $3`,
        [clientKey, gatewayId, userId],
      )
      return found[0] ?? null
    },
    connect: (grant: NewGrant) =>
      manager.transaction(async (inside) => {
        const hostId = await host(inside, grant)
        const connectionId = await connection(inside, hostId, grant)
        await inside.query(
          'insert into connection_grants (grant_hash, connection_id, client_id, picker) values ($1, $2, $3, $4)',
          [grant.grantHash, connectionId, grant.clientId, grant.picker],
        )
        return { hostId, connectionId }
      }),
    end: async (grantHash: string) => {
      const gone: unknown[] = await manager.query(
        'with gone as (delete from connection_grants where grant_hash = $1 returning 1) select * from gone',
        [grantHash],
      )
      return gone.length > 0
    },
    endOfClient: async (clientId: string) => {
      const gone: unknown[] = await manager.query(
        'with gone as (delete from connection_grants where client_id = $1 returning 1) select * from gone',
        [clientId],
      )
      return gone.length
    },
    sweep: async (limit: number) => {
      const gone: unknown[] = await manager.query(SWEEP, [limit])
      return gone.length
    },
  })
}

const SWEEP = `with gone as (delete from connection_grants where grant_hash in (
  select g.grant_hash from connection_grants g left join oauth_artifacts a on a.kind = 'Grant' and a.id_hash = g.grant_hash
  where a.id_hash is null and g.created_at < clock_timestamp() - interval '1 hour' limit $1) returning 1) select * from gone`

/** Two people may come with a new client at once, and another host may have its name already, or get it at the same moment. */
async function host(manager: EntityManager, { clientKey, title, slug }: NewGrant): Promise<string> {
  const short = slug.slice(0, 50)
  for (const own of [slug, `${short}-${clientKey.slice(0, 8)}`, `${short}-${randomUUID().slice(0, 8)}`]) {
    await manager.query(
      `insert into hosts (id, slug, title, kind, client_key, managed_by) values ($1, $2, $3, 'oauth', $4, 'system')
       on conflict do nothing`,
      [randomUUID(), own, title, clientKey],
    )
    const [found]: Found = await manager.query('select id, enabled from hosts where client_key = $1', [clientKey])
    if (found !== undefined) return found.id
  }
  throw new Error('a host finds no name')
}

async function connection(manager: EntityManager, hostId: string, { gatewayId, userId }: NewGrant): Promise<string> {
  const made: { id: string }[] = await manager.query(
    `insert into connections (id, host_id, gateway_id, user_id, managed_by) values ($1, $2, $3, $4, 'system')
     on conflict (host_id, gateway_id, coalesce(user_id, '00000000-0000-0000-0000-000000000000'))
       do update set user_id = excluded.user_id returning id`,
    [randomUUID(), hostId, gatewayId, userId],
  )
  return made[0]!.id
}
