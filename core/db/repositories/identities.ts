import type { EntityManager, FindOptionsWhere } from 'typeorm'
import type { Identity } from '../../domain/nouns.js'
import type { IdentityRepository } from '../../domain/store.js'
import type { IdentityEntity } from '../entities/server.js'
import { IDENTITY } from './kinds.js'
import { isId, rowRepository, rowsWhere } from './rows.js'

export function identityRepository(manager: EntityManager): IdentityRepository {
  const where = (what: FindOptionsWhere<IdentityEntity>) => rowsWhere<Identity, IdentityEntity>(manager, IDENTITY, what)
  return {
    ...rowRepository<Identity, IdentityEntity>(manager, IDENTITY),
    shared: () => where({ shared: true }),
    ofUser: async (ownerId) => (isId(ownerId) ? where({ ownerId, shared: false }) : []),
    ofServer: async (serverId) => (isId(serverId) ? where({ serverId }) : []),
  }
}
