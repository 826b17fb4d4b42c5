import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Which features of a server exist on a gateway, and which definitions of them are trusted. */
export const FEATURES_SQL = `
alter table gateways
  add column pinning jsonb not null default '{"onChange": "quarantine", "trustOnFirstUse": false, "newFeatures": "allow",
    "fields": ["title", "description", "schema", "annotations", "icons", "meta", "other"]}';
alter table assignments
  add column provisioning jsonb not null default '{"tools": {"mode": "all", "allow": []},
    "prompts": {"mode": "all", "allow": []}, "resources": {"mode": "all", "allow": []}}';

-- As names do, they outlive the assignment: taken off a gateway and put back, a server is not trusted anew.
-- Definitions are text: jsonb would drop the order of keys and refuse a zero character.
create table feature_approvals (
  gateway_id uuid not null constraint feature_approvals_gateway references gateways on delete cascade,
  assignment_id uuid not null,
  kind text not null check (kind in ('tool', 'prompt', 'resource', 'template')),
  name text not null,
  version integer not null default 1,
  -- Null while no definition is trusted.
  hashes jsonb,
  sha256 text,
  definition text,
  refused text[] not null default '{}',
  decided_by text,
  decided_at timestamptz not null default clock_timestamp()
);
create unique index feature_approvals_feature on feature_approvals (gateway_id, assignment_id, kind, md5(name));

-- Rises with every decision on a feature of a gateway: replicas read its approvals again.
create table feature_versions (
  gateway_id uuid primary key constraint feature_versions_gateway references gateways on delete cascade,
  version integer not null
);

-- Of which assignments and kinds the features were recorded once: what comes later is new.
create table feature_baselines (
  gateway_id uuid not null constraint feature_baselines_gateway references gateways on delete cascade,
  assignment_id uuid not null,
  kind text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (gateway_id, assignment_id, kind)
);

create table feature_history (
  id uuid primary key default gen_random_uuid(),
  gateway_id uuid not null constraint feature_history_gateway references gateways on delete cascade,
  assignment_id uuid not null,
  kind text not null,
  name text not null,
  version integer not null,
  event text not null check (event in ('trusted', 'appeared', 'renamed', 'changed', 'suspected', 'approved', 'rejected')),
  sha256 text not null,
  hashes jsonb not null,
  definition text,
  note text,
  by text,
  at timestamptz not null default clock_timestamp()
);
-- One change is told once, by whichever replica saw it first.
create unique index feature_history_once on feature_history (gateway_id, assignment_id, kind, md5(name), version, event, sha256)
  where event not in ('approved', 'rejected');
create index feature_history_feature on feature_history (gateway_id, assignment_id, kind, md5(name), at);
`

export class Features1796256000012 implements MigrationInterface {
  readonly name = 'Features1796256000012'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(FEATURES_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
