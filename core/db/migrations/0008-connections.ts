import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Lists that are read page by page, and when a connection was last used. */
const UP = `
alter table connections add column last_used_at timestamptz;
update connections c set last_used_at = (select max(t.last_used_at) from tokens t where t.connection_id = c.id);
create index connections_by_host_use on connections (host_id, last_used_at);
create index connections_by_age on connections (created_at, id);
create index tokens_by_age on tokens (created_at, id);
create index users_by_age on users (created_at, id);
create index identities_by_age on identities (created_at, id);
create index hosts_by_age on hosts (created_at, id);
`

export class Connections1795910400008 implements MigrationInterface {
  readonly name = 'Connections1795910400008'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
