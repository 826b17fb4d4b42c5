import type { MigrationInterface, QueryRunner } from 'typeorm'

const SQL = `
-- Public URIs that the client of a session wants to hear of, oldest first.
alter table sessions add column subscriptions text[] not null default '{}';

-- What a server last said of itself to a credential: capabilities and instructions outlive a restart, as its lists do.
create table server_infos (
  server_id uuid not null constraint server_infos_server references servers on delete cascade,
  key text not null,
  info text not null,
  at timestamptz not null,
  primary key (server_id, key)
);
`

export class SessionState1795392000002 implements MigrationInterface {
  readonly name = 'SessionState1795392000002'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table sessions drop column subscriptions; drop table server_infos')
  }
}
