import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Versioned blobs of engines: the modules of rules, what was said of them and who vouches for them. */
export const ARTIFACTS_SQL = `
create table artifacts (
  id uuid primary key,
  slug text not null constraint artifacts_slug unique,
  engine text not null,
  current integer not null,
  previous integer,
  latest integer not null,
  canary jsonb,
  grants jsonb not null default '{}',
  managed_by text not null check (managed_by in ('file', 'api', 'system')),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);

create table artifact_versions (
  artifact_id uuid not null constraint artifact_versions_artifact references artifacts on delete cascade,
  version integer not null check (version > 0),
  sha256 text not null,
  size integer not null,
  bytes bytea not null,
  -- Canonical JSON, letter by letter what is signed: no jsonb, which writes numbers and texts in its own way.
  manifest text not null,
  manifest_sha256 text not null,
  key_id text,
  signature text,
  facts json not null,
  uploaded_by text,
  at timestamptz not null default clock_timestamp(),
  constraint artifact_versions_signature check ((key_id is null) = (signature is null)),
  constraint artifact_versions_upload unique (artifact_id, sha256, manifest_sha256),
  primary key (artifact_id, version)
);
-- Modules are compressed badly and read whole.
alter table artifact_versions alter column bytes set storage external;
`

export class Artifacts1796601600016 implements MigrationInterface {
  readonly name = 'Artifacts1796601600016'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ARTIFACTS_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
