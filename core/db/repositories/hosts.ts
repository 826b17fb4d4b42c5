import type { EntityManager } from 'typeorm'
import type { Connection, Host } from '../../domain/nouns.js'
import type { ConnectionFilter, ConnectionRepository, ConnectionSeen, HostRepository } from '../../domain/store.js'
import type { HostEntity } from '../entities/host.js'
import { ConnectionEntity } from '../entities/host.js'
import { CONNECTION, CONNECTION_BY_LINK, HOST } from './kinds.js'
import { isId, rowRepository } from './rows.js'
import { readSlice } from './slices.js'

const STORED = `c.id, c.managed_by as "managedBy", c.created_at as "createdAt", c.updated_at as "updatedAt"`

const HOSTS = {
  table: 'hosts',
  columns: { id: 'id', kind: 'kind', enabled: 'enabled', ownerId: 'owner_id' },
  select: `select ${STORED}, c.slug, c.title, c.kind, c.owner_id as "ownerId", c.enabled,
    k.connections, k."lastUsedAt" from hosts c
    left join lateral (select count(*)::int as connections, max(last_used_at) as "lastUsedAt"
      from connections where host_id = c.id) k on true`,
}

export function hostRepository(manager: EntityManager): HostRepository {
  return {
    ...rowRepository<Host, HostEntity>(manager, HOST),
    pageSeen: (slice, where = {}) => readSlice(manager, HOSTS, { ...slice, where }),
  }
}

const CONNECTIONS = {
  table: 'connections',
  columns: { id: 'id', hostId: 'host_id', gatewayId: 'gateway_id', userId: 'user_id' },
  select: `select ${STORED}, c.host_id as "hostId", c.gateway_id as "gatewayId", c.user_id as "userId", c.enabled,
    c.last_used_at as "lastUsedAt", h.slug as host, g.slug as gateway, u.email as "user" from connections c
    join hosts h on h.id = c.host_id join gateways g on g.id = c.gateway_id left join users u on u.id = c.user_id`,
}

export function connectionRepository(manager: EntityManager): ConnectionRepository {
  const { page: _page, insert, ...rows } = rowRepository<Connection, ConnectionEntity>(manager, CONNECTION)
  return {
    ...rows,
    insert: (draft) => insert({ ...draft, lastUsedAt: null }),
    pageSeen: (slice, where) => readSlice<ConnectionSeen>(manager, CONNECTIONS, { ...slice, where }),
    byKey: async (key) => {
      const [host = '', gateway = '', user = ''] = key.split('/')
      if (!isId(host) || !isId(gateway) || (user !== '' && !isId(user))) return null
      const found: { id: string }[] = await manager.query(CONNECTION_BY_LINK, [host, gateway, user || null])
      return found[0] === undefined ? null : rows.find(found[0].id)
    },
    // Tokens go by their foreign key.
    removeOf: async (where) => void (await manager.delete(ConnectionEntity, mustName(where))),
    touch: async (ids, at) => {
      await manager.query(
        `update connections set last_used_at = $2
         where id = any($1::uuid[]) and (last_used_at is null or last_used_at < $2)`,
        [[...ids], at],
      )
    },
  }
}

/** What names nothing would remove everything. */
export function mustName<W extends object>(where: W): W {
  if (Object.values(where as ConnectionFilter).every((value) => value === undefined || value === null))
    throw new Error('what to remove must be named')
  return where
}
