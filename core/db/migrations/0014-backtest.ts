import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What messages said before the rules, sealed, in daily partitions of their own (they go earlier than the record); the key
 * of each day; and the backtests that were asked for, with their reports. Sealed bytes do not compress.
 */
export const BACKTEST_SQL = `
create table body_keys (
  day text primary key check (day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
  sealed text not null,
  created_at timestamptz not null default clock_timestamp()
);

create table message_originals (
  at timestamptz not null,
  id uuid not null,
  request bytea,
  request_bytes bigint,
  response bytea,
  response_bytes bigint,
  primary key (at, id)
) partition by range (at);
alter table message_originals alter column request set storage external, alter column response set storage external;
create table message_originals_default partition of message_originals default;

create table rule_replays (
  id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default clock_timestamp(),
  created_by uuid,
  gateway_id uuid not null references gateways (id) on delete cascade,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'cancelled', 'failed')),
  reason text,
  spec jsonb not null,
  progress jsonb not null default '{"read": 0, "total": null}',
  report jsonb,
  samples text,
  cancel boolean not null default false,
  started_at timestamptz,
  finished_at timestamptz,
  beat_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
create index rule_replays_by_gateway on rule_replays (gateway_id, created_at desc);
create index rule_replays_expired on rule_replays (expires_at);
`

export class Backtest1796428800014 implements MigrationInterface {
  readonly name = 'Backtest1796428800014'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(BACKTEST_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
