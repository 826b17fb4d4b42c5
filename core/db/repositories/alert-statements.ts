import type { AlertFilter, StateChange } from '../../domain/alerts.js'

/** The SQL of the feed of alerts. */

/** Times go out in milliseconds: they are kept so, for a page goes on from the time that was shown. */
const NOW = `date_trunc('milliseconds', clock_timestamp())`
export const ALERT_COLUMNS = `a.id, a.type, a.severity, a.key, a.message, a.gateway_id as "gatewayId", g.slug as gateway,
  a.server_id as "serverId", s.slug as server, a.rule_id as "ruleId", r.name as rule, a.connection_id as "connectionId",
  a.user_id as "userId", u.email as "user", a.correlation_id as "correlationId", a.context, a.count, a.state,
  a.first_at as "firstAt", a.last_at as "lastAt", a.state_at as "stateAt"`
export const ALERT_NAMES = `left join gateways g on g.id = a.gateway_id left join servers s on s.id = a.server_id
  left join rules r on r.id = a.rule_id left join users u on u.id = a.user_id`
export const SELECT = `select ${ALERT_COLUMNS} from alerts a ${ALERT_NAMES}`

/**
 * Receivers are told of a new alert, then at the tenth, hundredth … repeat and else once an hour, and not of one that
 * somebody has seen. What tells of a target's own failure is not sent there. Rows are taken in the order of their keys, so
 * that no two replicas wait for each other.
 */
export const RAISE = `with given as (
    select * from jsonb_to_recordset($1::jsonb) as x(id uuid, type text, severity text, key text, message text,
      gateway_id uuid, server_id uuid, rule_id uuid, connection_id uuid, user_id uuid, correlation_id uuid, context jsonb,
      times integer, holder text)
  ), raised as (
    insert into alerts (id, type, severity, key, message, gateway_id, server_id, rule_id, connection_id, user_id,
      correlation_id, context, count, held_by, first_at, last_at, told_at, state_at)
    select id, type, severity, key, message, gateway_id, server_id, rule_id, connection_id, user_id, correlation_id, context,
      times, array_remove(array[holder], null), now.at, now.at, now.at, now.at
    from given, (select ${NOW} as at) now order by type, key
    on conflict (type, key) where state <> 'resolved' do update set
      severity = excluded.severity, message = excluded.message, gateway_id = excluded.gateway_id,
      server_id = excluded.server_id, rule_id = excluded.rule_id, connection_id = excluded.connection_id,
      user_id = excluded.user_id, correlation_id = excluded.correlation_id, context = excluded.context,
      count = alerts.count + excluded.count, last_at = excluded.last_at, changed_xid = pg_current_xact_id(),
      held_by = array(select distinct held from unnest(alerts.held_by || excluded.held_by) held),
      told_at = case when alerts.state = 'open' and (
          length((alerts.count + excluded.count)::text) > length(alerts.count::text)
          or alerts.told_at <= excluded.last_at - interval '1 hour')
        then excluded.last_at else alerts.told_at end
    returning id, type, severity, key, gateway_id, count, state, first_at, last_at,
      state = 'open' and (told_at = last_at) as is_told
  ), queued as (
    insert into alert_deliveries (target_id, alert_id)
    select t.id, raised.id from raised join alert_targets t on t.enabled
      and array_position(array['info', 'warning', 'error'], raised.severity)
        >= array_position(array['info', 'warning', 'error'], t.min_severity)
      and (t.types = '{}' or raised.type = any (t.types))
      and (t.gateway_ids = '{}' or raised.gateway_id = any (t.gateway_ids))
      and raised.key <> 'alert-target/' || t.id
    where raised.is_told
    on conflict (target_id, alert_id) where batch is null do nothing
    returning alert_id
  )
  select id, type, key, count, state, first_at as "firstAt", last_at as "lastAt",
    exists (select 1 from queued where queued.alert_id = raised.id) as "isToCarry" from raised`

/** Its parameters are what `fits` gives. */
export const FITS = `($1::text[] is null or a.state = any ($1)) and ($2::text[] is null or a.severity = any ($2))
  and ($3::text[] is null or a.type = any ($3)) and ($4::uuid is null or a.gateway_id = $4)
  and ($5::uuid is null or a.server_id = $5) and ($6::uuid is null or a.rule_id = $6)
  and ($7::uuid is null or a.user_id = $7) and ($8::timestamptz is null or a.last_at >= $8)
  and ($9::timestamptz is null or a.last_at < $9)`

export function fits(filter: AlertFilter): unknown[] {
  const { states, severities, types, gatewayId, serverId, ruleId, userId, since, until } = filter
  const moment = (ms: number | undefined) => (ms === undefined ? null : new Date(ms))
  const plain = [states, severities, types, gatewayId, serverId, ruleId, userId].map((value) => value ?? null)
  return [...plain, moment(since), moment(until)]
}

export const COUNTS = `select state, severity, count(*)::int as count from alerts where state <> 'resolved' group by 1, 2`

const AUTHOR_COLUMNS = 'state, user_id, email, note'
export const authorOf = ({ by, note }: StateChange): unknown[] => [by?.id ?? null, by?.email ?? null, note]

export const SET_STATE = `with changed as (
    update alerts set state = $2, state_at = ${NOW}, changed_xid = pg_current_xact_id(),
      held_by = case when $2 = 'resolved' then '{}' else held_by end
    where id = $1 and state = any ($3) returning id
  ) insert into alert_states (alert_id, ${AUTHOR_COLUMNS}) select id, $2, $4, $5, $6 from changed returning id`

/** In the order in which they are raised: neither waits for what the other holds. */
export const ACKNOWLEDGE_ALL = `with wanted as (
    select a.id from alerts a where a.state = 'open' and ${FITS} and ($10::uuid[] is null or a.id = any ($10))
    order by a.type, a.key limit 10000 for update
  ), changed as (
    update alerts set state = 'acknowledged', state_at = ${NOW}, changed_xid = pg_current_xact_id()
    from wanted where alerts.id = wanted.id returning alerts.id
  ) insert into alert_states (alert_id, ${AUTHOR_COLUMNS}) select id, 'acknowledged', $11, $12, $13 from changed returning id`

/** A replica that has said nothing for 15 s is dead and holds nothing any more. */
export const RESOLVE = `with held as (
    select id, array(
      select holder from unnest(held_by) holder join replicas on replicas.id = holder
      where holder is distinct from $3 and beat_at > clock_timestamp() - interval '15 seconds'
    ) as left_over
    from alerts where type = $1 and key = $2 and state <> 'resolved' for update
  ), changed as (
    update alerts set held_by = left_over, changed_xid = pg_current_xact_id(),
      state = case when left_over = '{}' then 'resolved' else state end,
      state_at = case when left_over = '{}' then ${NOW} else state_at end
    from held where alerts.id = held.id and (left_over = '{}' or left_over <> held_by) returning alerts.id, state
  ), noted as (
    insert into alert_states (alert_id, state) select id, state from changed where state = 'resolved'
  ) select state from changed`

export const FORSAKEN = `select type, key from alerts where state <> 'resolved' and held_by <> '{}' and not exists (
    select 1 from replicas where id = any (held_by) and beat_at > clock_timestamp() - interval '15 seconds')`

export const FORGET = `with gone as (delete from alerts where id in (
    select id from alerts where state = 'resolved' and state_at < clock_timestamp() - make_interval(days => $1) limit $2
  ) returning id) select id from gone`

export const LET_GO = `with changed as (
    update alerts set state = 'resolved', state_at = ${NOW}, held_by = '{}', changed_xid = pg_current_xact_id()
    where id in (
      select id from alerts where state <> 'resolved' and last_at < clock_timestamp() - make_interval(days => $1) limit $2
    ) returning id
  ) insert into alert_states (alert_id, state, note) select id, 'resolved', $3 from changed returning id`
