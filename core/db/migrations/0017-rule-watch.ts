import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Which versions of rules are in quarantine, and what versions of rules did, in numbers. */
export const RULE_WATCH_SQL = `
-- Rules are written anew with their gateway: nothing may hang on their rows.
create table rule_quarantines (
  gateway_id uuid not null constraint rule_quarantines_gateway references gateways on delete cascade,
  rule_id uuid not null,
  rule_version integer not null,
  -- Of the rule's artifact; empty for a rule without.
  artifact_sha256 text not null,
  -- For whose messages alone it holds; empty for all.
  principal text not null,
  since timestamptz not null,
  reasons jsonb not null,
  primary key (rule_id, rule_version, artifact_sha256, principal)
);

create table rule_stats (
  gateway_id uuid not null constraint rule_stats_gateway references gateways on delete cascade,
  rule_id uuid not null,
  rule_version integer not null,
  artifact_sha256 text not null,
  hour timestamptz not null,
  artifact text,
  calls bigint not null,
  changes bigint not null,
  blocks bigint not null,
  detections bigint not null,
  undecided bigint not null,
  strikes jsonb not null,
  fuel_calls bigint not null,
  fuel_sum double precision not null,
  fuel_max double precision not null,
  ms_sum double precision not null,
  ms_max double precision not null,
  counters jsonb not null,
  primary key (rule_id, rule_version, artifact_sha256, hour)
);
create index rule_stats_hour on rule_stats (hour);

-- The sums of two objects of counts; of their keys the largest 200.
create function add_counts(one jsonb, other jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(key, total), '{}') from (
    select key, sum(value::numeric) as total
    from (select * from jsonb_each_text(one) union all select * from jsonb_each_text(other)) as counts
    group by key order by 2 desc, key limit 200) as sums
$$;
create aggregate sum_counts(jsonb) (sfunc = add_counts, stype = jsonb, initcond = '{}');
`

export class RuleWatch1796688000017 implements MigrationInterface {
  readonly name = 'RuleWatch1796688000017'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(RULE_WATCH_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
