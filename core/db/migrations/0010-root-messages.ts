import type { MigrationInterface, QueryRunner } from 'typeorm'

/** A message may belong to an earlier one, whose id is then the correlation id of both. */
export const ROOT_MESSAGES_SQL = `
alter table messages add column root_id uuid;
create index messages_by_root on messages (root_id) where root_id is not null;
`

export class RootMessages1796083200010 implements MigrationInterface {
  readonly name = 'RootMessages1796083200010'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ROOT_MESSAGES_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
