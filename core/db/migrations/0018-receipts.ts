import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What engines looked at besides a message, sealed beside what the message said: so that their verdicts can be run again. */
export const RECEIPTS_SQL = `
alter table message_originals
  add column request_recorded bytea,
  add column request_recorded_bytes bigint,
  add column response_recorded bytea,
  add column response_recorded_bytes bigint;
alter table message_originals
  alter column request_recorded set storage external,
  alter column response_recorded set storage external;
`

export class Receipts1796774400018 implements MigrationInterface {
  readonly name = 'Receipts1796774400018'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(RECEIPTS_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
