/** What replicas share beside the configuration. */
export const STATE_SQL = `
-- Names outlive the assignment that got them, so that no other server ever answers to a name that a client knows.
create table public_names (
  gateway_id uuid not null constraint public_names_gateway references gateways on delete cascade,
  kind text not null check (kind in ('tool', 'prompt', 'resource', 'template')),
  assignment_id uuid not null,
  upstream_name text not null,
  name text not null,
  given_at timestamptz not null default clock_timestamp()
);
-- A URI may be longer than an index takes. Two texts that share a hash are one name: the second comer gets none.
create unique index public_names_name on public_names (gateway_id, kind, md5(name));
create unique index public_names_owner on public_names (gateway_id, kind, assignment_id, md5(upstream_name));

-- Lists are text: jsonb would drop the order of keys and refuse a zero character that a server may well send.
create table server_lists (
  server_id uuid not null constraint server_lists_server references servers on delete cascade,
  key text not null,
  kind text not null,
  entries text not null,
  at timestamptz not null,
  primary key (server_id, key, kind)
);
create table era_verdicts (
  server_id uuid primary key constraint era_verdicts_server references servers on delete cascade,
  verdict jsonb not null,
  updated_at timestamptz not null default clock_timestamp()
);

create table sessions (
  id_hash text primary key,
  connection_id uuid not null constraint sessions_connection references connections on delete cascade,
  gateway_id uuid not null constraint sessions_gateway references gateways on delete cascade,
  principal text not null,
  version text not null,
  client_name text,
  client_version text,
  capabilities text not null,
  log_level text,
  created_at timestamptz not null default clock_timestamp(),
  last_used_at timestamptz not null default clock_timestamp()
);
create index sessions_by_principal on sessions (principal, last_used_at);
create index sessions_by_use on sessions (last_used_at);
create index sessions_by_connection on sessions (connection_id);
create index sessions_by_gateway on sessions (gateway_id);

create table plugin_store (
  plugin text not null,
  key text not null check (length(key) <= 256),
  value text not null check (octet_length(value) <= 65536),
  primary key (plugin, key)
);

create table exporter_cursors (
  exporter_id uuid primary key constraint exporter_cursors_exporter references exporters on delete cascade,
  seq bigint not null,
  delivered_at timestamptz,
  failed_at timestamptz,
  failure text,
  failure_status integer,
  updated_at timestamptz not null default clock_timestamp()
);
-- Without an exporter: a line of the record that the tables of the record refused.
create table dead_letters (
  id uuid primary key default gen_random_uuid(),
  exporter_id uuid constraint dead_letters_exporter references exporters on delete cascade,
  at timestamptz not null default clock_timestamp(),
  attempts integer not null,
  message text not null,
  status integer,
  rows jsonb not null
);
create index dead_letters_by_exporter on dead_letters (exporter_id, at);

create table alerts (
  id uuid primary key,
  type text not null,
  severity text not null check (severity in ('info', 'warning', 'error')),
  key text not null,
  message text not null,
  gateway_id uuid,
  server_id uuid,
  rule_id uuid,
  connection_id uuid,
  user_id uuid,
  correlation_id uuid,
  context jsonb not null default '{}',
  count integer not null default 1,
  state text not null default 'open' check (state in ('open', 'acknowledged', 'resolved')),
  first_at timestamptz not null default clock_timestamp(),
  last_at timestamptz not null default clock_timestamp()
);
create unique index alerts_standing on alerts (type, key) where state <> 'resolved';
create index alerts_by_time on alerts (last_at desc, id desc);
`
