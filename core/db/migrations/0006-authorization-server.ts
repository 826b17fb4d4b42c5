import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * The authorization server. What lies here opens nothing: codes, tokens, sessions and interactions are found by the SHA-256 of
 * their secret, and all that is kept of them is sealed.
 */
export const AUTHORIZATION_SERVER_SQL = `
create table oauth_clients (
  client_id text primary key,
  -- dcr: registered by itself (RFC 7591); admin: made by an administrator. Clients known by a document have no row.
  origin text not null check (origin in ('dcr', 'admin')),
  name text not null,
  metadata text not null,
  created_at timestamptz not null default clock_timestamp(),
  used_at timestamptz not null default clock_timestamp(),
  granted boolean not null default false
);
create index oauth_clients_never_granted on oauth_clients (created_at) where not granted and origin = 'dcr';

create table oauth_artifacts (
  kind text not null,
  id_hash text not null check (id_hash ~ '^[0-9a-f]{64}$'),
  grant_hash text check (grant_hash ~ '^[0-9a-f]{64}$'),
  uid_hash text check (uid_hash ~ '^[0-9a-f]{64}$'),
  payload text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  consumed_at timestamptz,
  uses integer not null default 0,
  primary key (kind, id_hash)
);
create index oauth_artifacts_by_grant on oauth_artifacts (grant_hash) where grant_hash is not null;
create unique index oauth_artifacts_by_uid on oauth_artifacts (kind, uid_hash) where uid_hash is not null;
create index oauth_artifacts_by_expiry on oauth_artifacts (expires_at);

-- Hosts that sign in by OAuth are found again by what their client calls itself and where it sends people back to.
alter table hosts add column client_key text constraint hosts_client_key unique;

create table connection_grants (
  grant_hash text primary key check (grant_hash ~ '^[0-9a-f]{64}$'),
  connection_id uuid not null constraint connection_grants_connection references connections on delete cascade,
  client_id text not null,
  -- Asked for at /mcp, where the person chose the gateway.
  picker boolean not null,
  created_at timestamptz not null default clock_timestamp()
);
create index connection_grants_by_connection on connection_grants (connection_id);
create index connection_grants_by_client on connection_grants (client_id);

-- A grant lives and dies with its connection, whatever took that away: the connection, its host, person or gateway.
create function end_oauth_grant() returns trigger language plpgsql as $$
begin
  delete from oauth_artifacts where grant_hash = old.grant_hash;
  delete from oauth_artifacts where kind = 'Grant' and id_hash = old.grant_hash;
  return null;
end $$;
create trigger connection_grants_end after delete on connection_grants
  for each row execute function end_oauth_grant();

create table oauth_keys (
  id uuid primary key,
  use text not null check (use in ('signing', 'cookie')),
  state text not null check (state in ('next', 'current', 'old')),
  sealed text not null,
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp()
);
create unique index oauth_keys_one_each on oauth_keys (use, state) where state <> 'old';
`

export class AuthorizationServer1795737600006 implements MigrationInterface {
  readonly name = 'AuthorizationServer1795737600006'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(AUTHORIZATION_SERVER_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
