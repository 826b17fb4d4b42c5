import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What a gateway does about features that look poisoned. */
export const POISONING_SQL = `
alter table gateways add column poisoning text not null default 'alert' check (poisoning in ('off', 'alert', 'quarantine'));
`

export class Poisoning1796515200015 implements MigrationInterface {
  readonly name = 'Poisoning1796515200015'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(POISONING_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
