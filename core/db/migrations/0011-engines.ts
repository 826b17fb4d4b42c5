import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Instances of engines that need an address or a key. Rules name them by slug; kinds without instances have no row. */
export const ENGINES_SQL = `
create table engines (
  id uuid primary key,
  slug text not null constraint engines_slug unique,
  kind text not null,
  config jsonb not null default '{}',
  secrets text[] not null default '{}',
  version integer not null default 1,
  last_test jsonb,
  managed_by text not null check (managed_by in ('file', 'api', 'system')),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index rules_by_engine on rules (engine);
`

export class Engines1796169600011 implements MigrationInterface {
  readonly name = 'Engines1796169600011'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ENGINES_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
