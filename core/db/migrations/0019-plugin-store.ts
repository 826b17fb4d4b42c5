import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What a plugin keeps may be kept for a while only. */
export const PLUGIN_STORE_SQL = `
alter table plugin_store add column expires_at timestamptz;
create index plugin_store_expiry on plugin_store (expires_at) where expires_at is not null;
`

export class PluginStore1796860800019 implements MigrationInterface {
  readonly name = 'PluginStore1796860800019'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PLUGIN_STORE_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
