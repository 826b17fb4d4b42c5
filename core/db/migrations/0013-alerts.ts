import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The states of an alert and who changed them, who holds it, and whom it is delivered to. */
export const ALERTS_SQL = `
-- The replicas that say so; only for what each finds out by itself.
alter table alerts add column held_by text[] not null default '{}';
-- When receivers were last to be told of it.
alter table alerts add column told_at timestamptz not null default clock_timestamp();
alter table alerts add column state_at timestamptz not null default clock_timestamp();
-- Of the last change: who follows the feed passes over no change that is under way.
alter table alerts add column changed_xid xid8 not null default pg_current_xact_id();
create index alerts_by_change on alerts (changed_xid, id);
create index alerts_resolved on alerts (state_at) where state = 'resolved';

create table alert_states (
  id uuid primary key default gen_random_uuid(),
  alert_id uuid not null constraint alert_states_alert references alerts on delete cascade,
  state text not null check (state in ('open', 'acknowledged', 'resolved')),
  at timestamptz not null default clock_timestamp(),
  -- Null: the gateway itself. The address is kept as it was, for people go.
  user_id uuid,
  email text,
  note text
);
create index alert_states_by_alert on alert_states (alert_id, at);

create table alert_targets (
  id uuid primary key,
  slug text not null constraint alert_targets_slug unique,
  plugin text not null,
  config jsonb not null default '{}',
  secrets text[] not null default '{}',
  min_severity text not null check (min_severity in ('info', 'warning', 'error')),
  -- Empty: all.
  types text[] not null default '{}',
  gateway_ids uuid[] not null default '{}',
  enabled boolean not null default true,
  managed_by text not null check (managed_by in ('file', 'api', 'system')),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);

-- What a target has yet to be told. Rows of one message share their batch; a row without one waits for its turn.
create table alert_deliveries (
  id uuid primary key default gen_random_uuid(),
  target_id uuid not null constraint alert_deliveries_target references alert_targets on delete cascade,
  alert_id uuid not null constraint alert_deliveries_alert references alerts on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  batch uuid,
  attempt integer not null default 0,
  due_at timestamptz not null default clock_timestamp(),
  dead_at timestamptz,
  failure text,
  failure_status integer
);
create unique index alert_deliveries_waiting on alert_deliveries (target_id, alert_id) where batch is null;
create index alert_deliveries_batch on alert_deliveries (target_id, batch) where batch is not null and dead_at is null;
create index alert_deliveries_by_alert on alert_deliveries (alert_id);

-- How far delivery is; the tokens are messages that the target may be sent at once.
create table alert_progress (
  target_id uuid primary key constraint alert_progress_target references alert_targets on delete cascade,
  tokens double precision not null,
  refilled_at timestamptz not null default clock_timestamp(),
  gathers_since timestamptz,
  leased_until timestamptz,
  delivered bigint not null default 0,
  delivered_at timestamptz,
  failed_at timestamptz,
  failure text,
  failure_status integer
);
`

export class Alerts1796342400013 implements MigrationInterface {
  readonly name = 'Alerts1796342400013'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ALERTS_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
