const STORED = `
  managed_by text not null check (managed_by in ('file', 'api', 'system')),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()`

/**
 * Configuration and people. What is part of another noun goes with it (cascade); what is merely used by another keeps its
 * row from being deleted (restrict). Constraint names end in the field that a conflict is reported for.
 */
export const CONFIGURATION_SQL = `
create table roles (
  id uuid primary key,
  slug text not null constraint roles_slug unique,
  title text not null,
  capabilities text[] not null default '{}',${STORED}
);
insert into roles (id, slug, title, capabilities, managed_by) values
  ('00000000-0000-4000-8000-000000000001', 'super-admin', 'Super admin', '{*}', 'system'),
  ('00000000-0000-4000-8000-000000000002', 'administrator', 'Administrator', '{
    identityManagement, viewAllIdentities, basicServerManagement, deployNewServerInstances, deployNewWorkstationInstances,
    createAndConfigureManagedAndWorkstationServers, viewAllServers, basicGatewayManagement, viewAndUseAllGateways,
    manageFeatureProvisioningSettings, manageTeamGatewayProvisioning, authenticateViaOauth, createAndManageApiTokens,
    disableAndEnableHosts, disableAndEnableConnections, managePeople, manageSsoScimMapping, viewAndExportLogs,
    manageOpenTelemetryCollector, seeAllAlerts, viewReports, manageIntegrations, viewAdminAudit, manageRuleModules,
    manageAlertDelivery, manageWorkspaceSettings, deleteServers, disableAndEnableServers, disableAndEnableGateways,
    archiveGateways}', 'system'),
  ('00000000-0000-4000-8000-000000000003', 'member', 'Member', '{authenticateViaOauth}', 'system');

create table users (
  id uuid primary key,
  email text not null constraint users_email unique check (email = lower(email)),
  name text not null,
  role text not null constraint users_role references roles (slug) on update cascade,
  enabled boolean not null default true,${STORED}
);
create index users_by_role on users (role);

create table teams (
  id uuid primary key,
  slug text not null constraint teams_slug unique,
  title text not null,
  enabled boolean not null default true,${STORED}
);
create table team_members (
  team_id uuid not null references teams on delete cascade,
  user_id uuid not null constraint team_members_member references users on delete cascade,
  primary key (team_id, user_id)
);
create index team_members_by_user on team_members (user_id);

create table servers (
  id uuid primary key,
  slug text not null constraint servers_slug unique,
  title text not null,
  url text,
  command jsonb,
  cwd text,
  env text[] not null default '{}',
  auth text not null check (auth in ('none', 'headers', 'oauth')),
  headers text[] not null default '{}',
  protocol text not null check (protocol in ('auto', 'modern', 'legacy', 'sse')),
  enabled boolean not null default true,${STORED},
  constraint servers_url_or_command check (num_nonnulls(url, command) = 1)
);

create table identities (
  id uuid primary key,
  slug text not null constraint identities_slug unique,
  server_id uuid not null constraint identities_server references servers,
  shared boolean not null,
  owner_id uuid constraint identities_owner references users on delete set null,
  headers text[] not null default '{}',
  enabled boolean not null default true,
  status text not null default 'ok' check (status in ('ok', 'needs_reauth')),${STORED}
);
create index identities_by_server on identities (server_id);
create index identities_by_owner on identities (owner_id);

create table gateways (
  id uuid primary key,
  slug text not null constraint gateways_slug unique,
  title text not null,
  prefix text not null check (prefix in ('collision', 'always', 'never')),
  legacy_sse boolean not null default false,
  capture text not null check (capture in ('none', 'redacted', 'sealed')),
  enabled boolean not null default true,${STORED}
);
create table gateway_former_slugs (
  slug text constraint gateway_former_slugs_slug primary key,
  gateway_id uuid not null references gateways on delete cascade
);
create index gateway_former_slugs_by_gateway on gateway_former_slugs (gateway_id);
create table gateway_teams (
  gateway_id uuid not null references gateways on delete cascade,
  team_id uuid not null constraint gateway_teams_team references teams on delete cascade,
  primary key (gateway_id, team_id)
);
create index gateway_teams_by_team on gateway_teams (team_id);

create table assignments (
  id uuid primary key,
  gateway_id uuid not null constraint assignments_gateway references gateways on delete cascade,
  server_id uuid not null constraint assignments_server references servers,
  prefix text,
  position integer not null,
  scheme text not null check (scheme in ('open', 'per-user', 'shared')),
  identity_id uuid constraint assignments_identity references identities,
  enabled boolean not null default true,
  constraint assignments_scheme_identity check ((scheme = 'shared') = (identity_id is not null))
);
create unique index assignments_as on assignments (gateway_id, coalesce(prefix, server_id::text));
create index assignments_by_server on assignments (server_id);
create index assignments_by_identity on assignments (identity_id);

create table rules (
  id uuid primary key,
  gateway_id uuid not null constraint rules_gateway references gateways on delete cascade,
  name text not null,
  position integer not null,
  version integer not null default 1,
  engine text not null,
  hook text not null check (hook in ('request', 'response', 'both')),
  action text check (action in ('block', 'redact', 'replace', 'mask', 'hash', 'detect')),
  on_failure text not null default 'block' check (on_failure in ('block', 'allow')),
  alerts boolean not null default false,
  enabled boolean not null default true,
  shadow boolean not null default false,
  servers text[] not null default '{}',
  features text[] not null default '{}',
  config jsonb not null default '{}',${STORED},
  constraint rules_name unique (gateway_id, name)
);

create table hosts (
  id uuid primary key,
  slug text not null constraint hosts_slug unique,
  title text not null,
  kind text not null check (kind in ('token', 'oauth')),
  owner_id uuid constraint hosts_owner references users on delete set null,
  enabled boolean not null default true,${STORED}
);
create table connections (
  id uuid primary key,
  host_id uuid not null constraint connections_host references hosts on delete cascade,
  gateway_id uuid not null constraint connections_gateway references gateways on delete cascade,
  user_id uuid constraint connections_user references users on delete cascade,
  enabled boolean not null default true,${STORED}
);
create unique index connections_link
  on connections (host_id, gateway_id, coalesce(user_id, '00000000-0000-0000-0000-000000000000'));
create index connections_by_gateway on connections (gateway_id);
create index connections_by_user on connections (user_id);

create table tokens (
  id uuid primary key,
  kind text not null check (kind in ('access', 'admin')),
  hash text not null constraint tokens_hash unique check (hash ~ '^[0-9a-f]{64}$'),
  label text not null,
  last_four text not null,
  connection_id uuid constraint tokens_connection references connections on delete cascade,
  user_id uuid constraint tokens_user references users on delete cascade,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  enabled boolean not null default true,${STORED},
  constraint tokens_holder check (case kind when 'access' then connection_id is not null else user_id is not null end)
);
create index tokens_by_connection on tokens (connection_id);
create index tokens_by_user on tokens (user_id);

create table exporters (
  id uuid primary key,
  slug text not null constraint exporters_slug unique,
  plugin text not null,
  config jsonb not null default '{}',
  secrets text[] not null default '{}',
  enabled boolean not null default true,${STORED}
);

create table secrets (
  owner_kind text not null,
  owner_id text not null,
  field text not null,
  sealed text not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (owner_kind, owner_id, field)
);
create index secrets_by_owner on secrets (owner_id);

create table settings (
  id smallint primary key default 1 check (id = 1),
  value jsonb not null,
  updated_at timestamptz not null default clock_timestamp()
);
create table epoch (
  id smallint primary key default 1 check (id = 1),
  value bigint not null
);
insert into epoch (value) values (1);
`
