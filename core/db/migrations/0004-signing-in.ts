import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Who is signed in, how people sign in without an identity provider, and secrets that are good for one use. */
export const SIGNING_IN_SQL = `
create table console_sessions (
  id_hash text primary key check (id_hash ~ '^[0-9a-f]{64}$'),
  user_id uuid not null constraint console_sessions_user references users on delete cascade,
  method text not null check (method in ('setup', 'invite', 'password', 'passkey', 'code', 'sso')),
  -- Of a sign-in at an identity provider: who that is, whom it names, and its own session (OpenID Connect, sub and sid).
  idp_id uuid,
  idp_issuer text,
  idp_subject text,
  idp_session text,
  created_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);
create index console_sessions_by_user on console_sessions (user_id);
create index console_sessions_by_idp_session on console_sessions (idp_issuer, idp_session) where idp_session is not null;
create index console_sessions_by_idp_subject on console_sessions (idp_issuer, idp_subject) where idp_subject is not null;

create table passwords (
  user_id uuid primary key constraint passwords_user references users on delete cascade,
  hash text not null,
  failures integer not null default 0,
  locked_until timestamptz,
  changed_at timestamptz not null default clock_timestamp()
);

create table passkeys (
  id text primary key,
  user_id uuid not null constraint passkeys_user references users on delete cascade,
  name text not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  last_used_at timestamptz
);
create index passkeys_by_user on passkeys (user_id);

-- What is kept for a secret that was given away and is good once: links, codes, challenges, trips to another sign-in.
create table one_time (
  kind text not null,
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  -- SHA-256 of what its holder must have besides; null: nothing.
  bound text check (bound ~ '^[0-9a-f]{64}$'),
  user_id uuid constraint one_time_user references users on delete cascade,
  payload text not null,
  tries integer not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (kind, hash)
);
create index one_time_by_expiry on one_time (expires_at);
create index one_time_by_user on one_time (user_id) where user_id is not null;
`

export class SigningIn1795564800004 implements MigrationInterface {
  readonly name = 'SigningIn1795564800004'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SIGNING_IN_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
