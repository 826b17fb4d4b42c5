/**
 * The record: one thin row per message, its bodies apart, both in daily partitions that retention drops whole. Rows of a day
 * without a partition fall into the default one, so that nothing is ever refused; `ensure_record_partition` moves them
 * into their own day when it is made. `seq` is the order in which rows came in: cursors go by it. `failed` follows from
 * `outcome`, so that the partial index fits every query on it.
 */
export const RECORD_SQL = `
create sequence messages_seq;
create table messages (
  at timestamptz not null,
  id uuid not null,
  seq bigint not null default nextval('messages_seq'),
  method text,
  rpc_id text,
  session_id text,
  version text,
  feature_type text,
  feature text,
  user_id uuid,
  user_email text,
  user_name text,
  team_id uuid,
  host_id uuid,
  host_name text,
  client_name text,
  client_version text,
  connection_id uuid,
  gateway_id uuid,
  gateway_name text,
  ip text,
  user_agent text,
  outcome text not null,
  http_status integer,
  duration_ms double precision not null,
  legs jsonb not null,
  failed boolean not null generated always as (outcome in (
    'proxy_request_error', 'mcp_request_error', 'mcp_response_error', 'proxy_response_error',
    'policy_enforced_abort', 'policy_enforced_error', 'gateway_feature_blocked', 'auth_refused')) stored,
  primary key (at, id)
) partition by range (at);
create index messages_by_id on messages (id);
create index messages_by_seq on messages (seq);
create index messages_by_user on messages (user_id, at desc, id desc);
create index messages_by_gateway on messages (gateway_id, at, id);
create index messages_by_feature on messages (feature, at desc, id desc);
create index messages_failed on messages (at, id) where failed;
create table messages_default partition of messages default;

create table message_bodies (
  at timestamptz not null,
  id uuid not null,
  request text,
  request_bytes bigint,
  request_sha256 text,
  response text,
  response_bytes bigint,
  response_sha256 text,
  primary key (at, id)
) partition by range (at);
create table message_bodies_default partition of message_bodies default;

create function ensure_record_partition(parent text, day date) returns boolean language plpgsql as $$
declare
  part text := parent || '_' || to_char(day, 'YYYYMMDD');
  first timestamptz := day::timestamp at time zone 'UTC';
  past timestamptz := (day + 1)::timestamp at time zone 'UTC';
  fields text;
begin
  if to_regclass(part) is not null then return false; end if;
  execute format('lock table %I in share update exclusive mode', parent);
  if to_regclass(part) is not null then return false; end if;
  execute format('create table %I (like %I including defaults including generated including storage)', part, parent);
  select string_agg(quote_ident(attname), ', ' order by attnum) into fields from pg_attribute
    where attrelid = parent::regclass and attnum > 0 and not attisdropped and attgenerated = '';
  execute format('lock table %I in access exclusive mode', parent || '_default');
  execute format('with moved as (delete from %I where at >= $1 and at < $2 returning %s) insert into %I (%s) select %s from moved',
    parent || '_default', fields, part, fields, fields) using first, past;
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part, first, past);
  return true;
end $$;
`
