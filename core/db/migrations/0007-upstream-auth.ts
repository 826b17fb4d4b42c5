import type { MigrationInterface, QueryRunner } from 'typeorm'

/** As whom servers are called: what a server's authorization server gave, and as which client we are known there. */
export const UPSTREAM_AUTH_SQL = `
alter table servers add column oauth jsonb;

alter table identities add column kind text not null default 'headers' check (kind in ('headers', 'oauth'));
create unique index identities_own on identities (server_id, owner_id) where not shared and owner_id is not null;

-- Renewed in the background, which is no change of configuration: so beside the identity, not in it.
create table identity_grants (
  identity_id uuid primary key constraint identity_grants_identity references identities on delete cascade,
  issuer text not null,
  client_id text not null,
  scope text,
  -- How often somebody authorised; what the server asked for beyond that, how often, and after which time (step-up).
  authorised integer not null default 1,
  wanted_scope text,
  wanted_for integer,
  step_ups integer not null default 0,
  tokens text not null,
  -- Rises with every renewal: who renews names the one that they read.
  version integer not null default 1,
  obtained_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  lease_until timestamptz,
  last_error text
);

create table upstream_clients (
  server_id uuid not null constraint upstream_clients_server references servers on delete cascade,
  issuer text not null,
  registration text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (server_id, issuer)
);
`

export class UpstreamAuth1795824000007 implements MigrationInterface {
  readonly name = 'UpstreamAuth1795824000007'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UPSTREAM_AUTH_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
