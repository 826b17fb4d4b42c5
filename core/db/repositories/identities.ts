import type { EntityManager, FindOptionsWhere } from 'typeorm'
import type { Identity } from '../../domain/nouns.js'
import type { IdentityRepository } from '../../domain/store.js'
import type { IdentityEntity } from '../entities/server.js'
import { IDENTITY } from './kinds.js'
import { isId, moment, rowRepository, rowsWhere } from './rows.js'

export function identityRepository(manager: EntityManager): IdentityRepository {
  const where = (what: FindOptionsWhere<IdentityEntity>) => rowsWhere<Identity, IdentityEntity>(manager, IDENTITY, what)
  return {
    ...rowRepository<Identity, IdentityEntity>(manager, IDENTITY),
    shared: () => where({ shared: true }),
    ofUser: async (ownerId) => (isId(ownerId) ? where({ ownerId, shared: false }) : []),
    ofServer: async (serverId) => (isId(serverId) ? where({ serverId }) : []),
  }
}

/** The personal identities of the user `u` of a statement, as JSON: read together with the token that stands for them. */
export const OWN_IDENTITIES = `(select coalesce(json_agg(json_build_object(
    'id', i.id, 'managedBy', i.managed_by, 'createdAt', ${moment('i.created_at')}, 'updatedAt', ${moment('i.updated_at')},
    'slug', i.slug, 'serverId', i.server_id, 'shared', i.shared, 'ownerId', i.owner_id, 'kind', i.kind,
    'headers', i.headers, 'enabled', i.enabled, 'status', i.status) order by i.id), '[]')
  from identities i where i.owner_id = u.id and not i.shared)`
