import type { EntityManager } from 'typeorm'
import type { Engine } from '../../domain/nouns.js'
import type { EngineRepository } from '../../domain/store.js'
import type { EngineEntity } from '../entities/engine.js'
import { ENGINE } from './kinds.js'
import { isId, rowRepository } from './rows.js'

export function engineRepository(manager: EntityManager): EngineRepository {
  return {
    ...rowRepository<Engine, EngineEntity>(manager, ENGINE),
    noteTest: async (id, lastTest) => {
      if (isId(id))
        await manager.query('update engines set last_test = $2 where id = $1', [id, JSON.stringify(lastTest)])
    },
  }
}
