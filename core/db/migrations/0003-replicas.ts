import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The replicas that live, and what they are told of at once: the tables stay the truth, a notice may be lost. */
export const REPLICAS_SQL = `
create table replicas (
  id text primary key check (id ~ '^[a-z0-9]{4}$'),
  url text,
  -- The replicas that this one reckons with.
  knows text[] not null default '{}',
  beats bigint not null default 0,
  beat_at timestamptz not null default clock_timestamp()
);

-- Writes down that a replica lives and answers who else does. Beats take turns: of two that do not know each other yet,
-- the later one sees what the earlier wrote. An older beat that comes late changes nothing.
create function replica_beat(own text, own_url text, own_knows text[], own_beats bigint)
returns table (id text, url text, knows text[], silent_ms double precision) language plpgsql as $$
#variable_conflict use_column
begin
  perform pg_advisory_xact_lock(7014003);
  delete from replicas r where r.id <> own and r.beat_at < clock_timestamp() - interval '1 minute';
  insert into replicas as r (id, url, knows, beats) values (own, own_url, own_knows, own_beats)
    on conflict on constraint replicas_pkey do update
    set url = excluded.url, knows = excluded.knows, beats = excluded.beats, beat_at = clock_timestamp()
    where r.beats < excluded.beats;
  return query select r.id, r.url, r.knows,
    (extract(epoch from clock_timestamp() - r.beat_at) * 1000)::double precision from replicas r where r.id <> own;
end $$;

create function tell_replica() returns trigger language plpgsql as $$
begin
  perform pg_notify('gatehouse_replicas', coalesce(new.id, old.id));
  return null;
end $$;
create trigger replicas_tell after insert or delete on replicas for each row execute function tell_replica();

create function tell_epoch() returns trigger language plpgsql as $$
begin
  perform pg_notify('gatehouse_epoch', new.value::text);
  return null;
end $$;
create trigger epoch_tell after update on epoch for each row execute function tell_epoch();

create function tell_session_end() returns trigger language plpgsql as $$
begin
  perform pg_notify('gatehouse_ended', old.id_hash);
  return null;
end $$;
create trigger sessions_tell after delete on sessions for each row execute function tell_session_end();

create function tell_session_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('gatehouse_changed', new.id_hash);
  return null;
end $$;
create trigger sessions_tell_change after update of log_level, subscriptions on sessions for each row
  when (old.log_level is distinct from new.log_level or old.subscriptions is distinct from new.subscriptions)
  execute function tell_session_change();
`

export class Replicas1795478400003 implements MigrationInterface {
  readonly name = 'Replicas1795478400003'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(REPLICAS_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
