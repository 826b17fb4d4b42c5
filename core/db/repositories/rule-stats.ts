import type { EntityManager } from 'typeorm'
import type { RuleStatRepository, StoredTally } from '../../domain/rule-watch.js'
import { storable } from '../../domain/storable.js'
import { isId, moment } from './rows.js'

type Row = Omit<StoredTally, 'sha256'> & { readonly sha256: string }

const OF = `select json_build_object('ruleId', rule_id, 'ruleVersion', rule_version, 'sha256', artifact_sha256,
  'artifact', max(artifact), 'calls', sum(calls), 'changes', sum(changes), 'blocks', sum(blocks),
  'detections', sum(detections), 'undecided', sum(undecided), 'fuelCalls', sum(fuel_calls), 'fuelSum', sum(fuel_sum),
  'fuelMax', max(fuel_max), 'msSum', sum(ms_sum), 'msMax', max(ms_max), 'from', ${moment('min(hour)')},
  'to', ${moment('max(hour)')}, 'strikes', sum_counts(strikes), 'counters', sum_counts(counters)) as row
  from rule_stats where rule_id = $1 and hour >= to_timestamp($2::double precision / 1000)
  group by rule_id, rule_version, artifact_sha256 order by rule_version desc, max(hour) desc`

/** In the order of the keys, so that two replicas that write at once never wait for each other in a ring. */
const ADD = `insert into rule_stats (gateway_id, rule_id, rule_version, artifact_sha256, hour, artifact, calls, changes,
    blocks, detections, undecided, strikes, fuel_calls, fuel_sum, fuel_max, ms_sum, ms_max, counters)
  select g.id, t."ruleId", t."ruleVersion", t.sha256, date_trunc('hour', clock_timestamp()), t.artifact, t.calls, t.changes,
    t.blocks, t.detections, t.undecided, t.strikes, t."fuelCalls", t."fuelSum", t."fuelMax", t."msSum", t."msMax", t.counters
  from jsonb_to_recordset($1::jsonb) as t("gatewayId" uuid, "ruleId" uuid, "ruleVersion" integer, sha256 text,
    artifact text, calls bigint, changes bigint, blocks bigint, detections bigint, undecided bigint, strikes jsonb,
    "fuelCalls" bigint, "fuelSum" double precision, "fuelMax" double precision, "msSum" double precision,
    "msMax" double precision, counters jsonb)
  join gateways g on g.id = t."gatewayId" order by 2, 3, 4
  on conflict (rule_id, rule_version, artifact_sha256, hour) do update set
    artifact = excluded.artifact, calls = rule_stats.calls + excluded.calls,
    changes = rule_stats.changes + excluded.changes, blocks = rule_stats.blocks + excluded.blocks,
    detections = rule_stats.detections + excluded.detections, undecided = rule_stats.undecided + excluded.undecided,
    strikes = add_counts(rule_stats.strikes, excluded.strikes),
    fuel_calls = rule_stats.fuel_calls + excluded.fuel_calls, fuel_sum = rule_stats.fuel_sum + excluded.fuel_sum,
    fuel_max = greatest(rule_stats.fuel_max, excluded.fuel_max), ms_sum = rule_stats.ms_sum + excluded.ms_sum,
    ms_max = greatest(rule_stats.ms_max, excluded.ms_max), counters = add_counts(rule_stats.counters, excluded.counters)`

export function ruleStatRepository(manager: EntityManager): RuleStatRepository {
  return {
    async add(tallies) {
      if (tallies.length === 0) return
      // Names of counters are what rules say.
      await manager.query(ADD, [storable(JSON.stringify(tallies.map((one) => ({ ...one, sha256: one.sha256 ?? '' }))))])
    },
    async of(ruleId, since) {
      if (!isId(ruleId)) return []
      const rows: { row: Row }[] = await manager.query(OF, [ruleId, since])
      return rows.map(({ row }) => ({ ...row, sha256: row.sha256 === '' ? null : row.sha256 }))
    },
    async forget(days) {
      if (days <= 0) return
      await manager.query(`delete from rule_stats where hour < clock_timestamp() - make_interval(days => $1)`, [days])
    },
  }
}
