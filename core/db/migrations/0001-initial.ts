import type { MigrationInterface, QueryRunner } from 'typeorm'
import { CONFIGURATION_SQL } from './0001-configuration.js'
import { RECORD_SQL } from './0001-record.js'
import { STATE_SQL } from './0001-state.js'

/** The whole schema as it was first laid. Once released it is never changed: what comes later is a migration of its own. */
export class Initial1795305600001 implements MigrationInterface {
  readonly name = 'Initial1795305600001'

  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [CONFIGURATION_SQL, STATE_SQL, RECORD_SQL]) await runner.query(sql)
  }

  async down(): Promise<void> {
    throw new Error('the first migration cannot be undone: restore a backup instead')
  }
}
