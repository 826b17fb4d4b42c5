import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Identity providers, and whom each of them knows by which name. */
export const SSO_SQL = `
create table idps (
  id uuid primary key,
  slug text not null constraint idps_slug unique,
  title text not null,
  plugin text not null,
  config jsonb not null default '{}',
  secrets text[] not null default '{}',
  domains text[] not null default '{}',
  role text constraint idps_role references roles (slug),
  -- { "<group there>": "<slug of the team here>" }
  groups jsonb not null default '{}',
  button boolean not null default true,
  required boolean not null default false,
  break_glass text[] not null default '{}',
  trust_domain_verified_email boolean not null default false,
  trust_assertions boolean not null default false,
  enabled boolean not null default true,
  managed_by text not null check (managed_by in ('file', 'api', 'system')),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);

-- The one lasting tie between a person here and a person there (OpenID Connect Core, section 5.7: iss and sub).
create table idp_links (
  issuer text not null,
  subject text not null,
  user_id uuid not null constraint idp_links_user references users on delete cascade,
  idp_id uuid not null constraint idp_links_idp references idps on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  last_used_at timestamptz not null default clock_timestamp(),
  primary key (issuer, subject)
);
create index idp_links_by_user on idp_links (user_id);
create index idp_links_by_idp on idp_links (idp_id);
create index console_sessions_by_idp on console_sessions (idp_id) where idp_id is not null;
`

export class Sso1795996800009 implements MigrationInterface {
  readonly name = 'Sso1795996800009'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SSO_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
