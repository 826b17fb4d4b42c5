import type { EntityManager } from 'typeorm'
import type { JsonObject } from '@gatehouse/sdk'
import type {
  Decision,
  FeatureEvent,
  FeatureKey,
  FeatureRecord,
  FeatureRepository,
  Sighting,
} from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import { isId } from './rows.js'

/** A longer definition is known by its hashes alone. */
const LONGEST = 256 * 1024
/** A server that changes all the time fills the history of one approval so far and no further. */
const MOST_EVENTS = 50
/** So many events of suspicion a server leaves of names that nobody knows otherwise. */
const MOST_SUSPECTED = 20_000

type Where = Omit<FeatureKey, 'name'>
type Row<T extends { readonly definition: JsonObject | null }> = Omit<T, 'definition'> & {
  readonly definition: string | null
}

export function featureRepository(manager: EntityManager): FeatureRepository {
  const select = async (sql: string, given: readonly unknown[]): Promise<FeatureRecord[]> => {
    const rows: { noun: Row<FeatureRecord> & { waiting: Row<FeatureEvent> | null } }[] = await manager.query(sql, [
      ...given,
    ])
    return rows.map(({ noun }) => ({ ...read(noun), waiting: noun.waiting === null ? null : read(noun.waiting) }))
  }
  const find = async ({ gatewayId, assignmentId, kind, name }: FeatureKey): Promise<FeatureRecord | null> => {
    if (!isId(gatewayId) || !isId(assignmentId)) return null
    const found = await select(`${RECORD} and a.kind = $3 and md5(a.name) = md5($4)`, [
      gatewayId,
      assignmentId,
      kind,
      name,
    ])
    return found[0] ?? null
  }
  return {
    async of(gatewayId) {
      const rows: { all: Awaited<ReturnType<FeatureRepository['of']>> }[] = await manager.query(ALL, [gatewayId])
      return rows[0]?.all ?? { version: 0, approvals: [], baselines: [] }
    },
    async versions() {
      const rows: { id: string; version: number }[] = await manager.query(
        'select gateway_id as id, version from feature_versions',
      )
      return new Map(rows.map(({ id, version }) => [id, version]))
    },
    record: (where, sightings) => manager.transaction((inside) => record(inside, where, sightings)),
    suspect: (where, sightings, refuse) =>
      manager.transaction((inside) => suspect(inside, where, { sightings, refuse })),
    find,
    ofAssignment: async (gatewayId, assignmentId) =>
      isId(assignmentId) ? select(`${RECORD} order by a.kind, a.name`, [gatewayId, assignmentId]) : [],
    async history({ gatewayId, assignmentId, kind, name }) {
      if (!isId(gatewayId) || !isId(assignmentId)) return []
      const rows: { noun: Row<FeatureEvent> }[] = await manager.query(HISTORY, [gatewayId, assignmentId, kind, name])
      return rows.map(({ noun }) => read(noun))
    },
    async decide(key, decision) {
      await manager.transaction((inside) => decide(inside, key, decision))
      const decided = await find(key)
      if (decided === null) throw unseen(key)
      return decided
    },
  }
}

const read = <T extends { readonly definition: string | null }>(
  row: T,
): Omit<T, 'definition'> & { definition: JsonObject | null } => ({
  ...row,
  definition: row.definition === null ? null : (JSON.parse(row.definition) as JsonObject),
})

/** In the order of the names, so that two replicas that record the same never wait for each other in a ring. */
async function record(
  manager: EntityManager,
  where: Where,
  sightings: readonly Sighting[],
): Promise<readonly Sighting[]> {
  const { gatewayId, assignmentId, kind } = where
  const place = [gatewayId, assignmentId, kind] as const
  const begun: unknown[] = await manager.query(BEGIN, [...place])
  const sorted = sightings
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((one) => (begun.length === 0 && isTooLate(one) ? { ...one, event: 'appeared' as const } : one))
  const rows = sorted.map((one) => ({ ...rowOf(one), isFresh: one.waits === true }))
  const made: { name: string }[] = await manager.query(FIRST, [...place, JSON.stringify(rows)])
  const isFirst = new Set(made.map(({ name }) => name))
  // Whoever saw it first has told of it.
  const news = rows.filter(({ event, name, isFresh }) => (event !== 'trusted' && !isFresh) || isFirst.has(name))
  const told: { name: string; event: string }[] = await manager.query(EVENTS, [...place, JSON.stringify(news)])
  const isTold = new Set(told.map(({ name, event }) => `${event} ${name}`))
  return sorted.filter(({ name, event }) => isTold.has(`${event} ${name}`))
}

/** Another replica has recorded the others before: this one is new. */
const isTooLate = ({ event, waits }: Sighting): boolean => event === 'trusted' && waits === true

/** What is refused needs a row to be refused in, even where nothing is pinned. */
async function suspect(
  manager: EntityManager,
  { gatewayId, assignmentId, kind }: Where,
  { sightings, refuse }: { readonly sightings: readonly Sighting[]; readonly refuse: boolean },
): Promise<readonly Sighting[]> {
  const place = [gatewayId, assignmentId, kind] as const
  const sorted = sightings.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  const [{ isFull } = { isFull: false }]: { isFull: boolean }[] = await manager.query(FULL, [...place])
  if (isFull) {
    // What is not kept counts as not looked through.
    if (refuse) throw new GatehouseError('GH_DB_UNAVAILABLE', { detail: 'a server shows too many suspicious names' })
    return []
  }
  const rows = JSON.stringify(sorted.map(rowOf))
  const told: { name: string }[] = await manager.query(EVENTS, [...place, rows])
  if (refuse) {
    await manager.query(FIRST, [...place, rows])
    const done: [unknown[], number] = await manager.query(REFUSE, [...place, rows])
    if (done[1] > 0) await raise(manager, gatewayId)
  }
  const isTold = new Set(told.map(({ name }) => name))
  return sorted.filter(({ name }) => isTold.has(name))
}

function rowOf({ event, name, version, sha256, hashes, note, definition }: Sighting) {
  const text = JSON.stringify(definition)
  const kept = text.length > LONGEST ? null : text
  return { event, name, version, sha256, hashes, note, isTrusted: event === 'trusted', definition: kept }
}

async function decide(manager: EntityManager, key: FeatureKey, { sha256, verdict, by, note }: Decision): Promise<void> {
  const { gatewayId, assignmentId, kind, name } = key
  if (!isId(gatewayId) || !isId(assignmentId)) throw unseen(key)
  const given = [gatewayId, assignmentId, kind, name, sha256]
  // What was only ever suspected has no row yet.
  await manager.query(KNOWN, given)
  const done: unknown[] = await manager.query(verdict === 'approved' ? APPROVE : REJECT, [...given, by])
  if (done.length === 0) throw unseen(key)
  await manager.query(DECIDED, [...given, verdict, by, note])
  await raise(manager, gatewayId)
}

/** Heard at every replica with the epoch that whoever decides raises; a suspicion raises its own. */
async function raise(manager: EntityManager, gatewayId: string): Promise<void> {
  await manager.query(RAISE, [gatewayId])
  await manager.query('update epoch set value = value + 1')
}

const unseen = ({ kind, name }: FeatureKey): GatehouseError =>
  new GatehouseError('GH_API_NOT_FOUND', {
    message: `no definition of this hash was seen of the ${kind} '${name.slice(0, 200)}'`,
  })

const RAISE = `insert into feature_versions as v (gateway_id, version) values ($1, 1)
  on conflict (gateway_id) do update set version = v.version + 1`

const ALL = `select json_build_object(
  'version', coalesce((select v.version from feature_versions v where v.gateway_id = g.id), 0),
  'approvals', (select coalesce(json_agg(json_build_object('assignmentId', a.assignment_id, 'kind', a.kind, 'name', a.name,
      'version', a.version, 'hashes', a.hashes, 'refused', a.refused)), '[]')
    from feature_approvals a where a.gateway_id = g.id),
  'baselines', (select coalesce(json_agg(json_build_object('assignmentId', b.assignment_id, 'kind', b.kind)), '[]')
    from feature_baselines b where b.gateway_id = g.id)) as all
  from gateways g where g.id = $1`

const BEGIN = 'insert into feature_baselines values ($1, $2, $3) on conflict do nothing returning kind'

const GIVEN = `jsonb_to_recordset($4::jsonb) as s (event text, name text, version integer, sha256 text, hashes jsonb,
  definition text, note text, "isTrusted" boolean)`

const FIRST = `insert into feature_approvals (gateway_id, assignment_id, kind, name, hashes, sha256, definition)
  select $1::uuid, $2::uuid, $3::text, s.name, case when s."isTrusted" then s.hashes end,
    case when s."isTrusted" then s.sha256 end, case when s."isTrusted" then s.definition end from ${GIVEN}
  on conflict do nothing returning name`

const EVENTS = `insert into feature_history
    (gateway_id, assignment_id, kind, name, version, event, sha256, hashes, definition, note)
  select $1::uuid, $2::uuid, $3::text, s.name, s.version, s.event, s.sha256, s.hashes, s.definition, s.note from ${GIVEN}
  where (select count(*) from feature_history h where h.gateway_id = $1::uuid and h.assignment_id = $2::uuid
    and h.kind = $3::text and md5(h.name) = md5(s.name) and h.version = s.version) < ${MOST_EVENTS}
  and not (s.event = 'appeared' and exists (select 1 from feature_history h where h.gateway_id = $1::uuid
    and h.assignment_id = $2::uuid and h.kind = $3::text and md5(h.name) = md5(s.name) and h.version = s.version
    and h.sha256 = s.sha256))
  on conflict do nothing returning name, event`

const FULL = `select count(*) >= ${MOST_SUSPECTED} as "isFull" from (select 1 from feature_history
  where gateway_id = $1 and assignment_id = $2 and kind = $3 and event = 'suspected' limit ${MOST_SUSPECTED}) as suspected`

/** In the order of the names, as everything here. */
const REFUSE = `with held as (select a.name, s.sha256 from feature_approvals a join ${GIVEN} on md5(a.name) = md5(s.name)
    where a.gateway_id = $1 and a.assignment_id = $2 and a.kind = $3 and not a.refused @> array[s.sha256]
    order by a.name for update of a)
  update feature_approvals a set refused = array_append(a.refused, held.sha256) from held
  where a.gateway_id = $1 and a.assignment_id = $2 and a.kind = $3 and md5(a.name) = md5(held.name)`

const SEEN = `gateway_id = $1 and assignment_id = $2 and kind = $3 and md5(name) = md5($4) and sha256 = $5`

const KNOWN = `insert into feature_approvals (gateway_id, assignment_id, kind, name)
  select $1::uuid, $2::uuid, $3::text, $4::text where exists (select 1 from feature_history where ${SEEN})
  on conflict do nothing`

const APPROVE = `with seen as (select hashes, definition from feature_history where ${SEEN} order by at desc limit 1),
  done as (update feature_approvals a set hashes = seen.hashes, sha256 = $5, definition = seen.definition,
    version = a.version + 1, refused = array_remove(a.refused, $5), decided_by = $6, decided_at = clock_timestamp()
  from seen where a.gateway_id = $1 and a.assignment_id = $2 and a.kind = $3 and md5(a.name) = md5($4) returning a.name) select name from done`

const REJECT = `with seen as (select hashes from feature_history where ${SEEN} limit 1),
  done as (update feature_approvals a set refused = array_append(array_remove(a.refused, $5), $5), version = a.version + 1,
    decided_by = $6, decided_at = clock_timestamp()
  from seen where a.gateway_id = $1 and a.assignment_id = $2 and a.kind = $3 and md5(a.name) = md5($4) returning a.name) select name from done`

const DECIDED = `insert into feature_history
    (gateway_id, assignment_id, kind, name, version, event, sha256, hashes, definition, note, by)
  select a.gateway_id, a.assignment_id, a.kind, a.name, a.version, $6, $5, seen.hashes, seen.definition, $8, $7
  from feature_approvals a, lateral (select hashes, definition from feature_history where ${SEEN} order by at desc limit 1) seen
  where a.gateway_id = $1 and a.assignment_id = $2 and a.kind = $3 and md5(a.name) = md5($4)`

const time = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
const event = (from: string) => `json_build_object('id', ${from}.id, 'event', ${from}.event, 'name', ${from}.name,
  'version', ${from}.version, 'sha256', ${from}.sha256, 'hashes', ${from}.hashes, 'definition', ${from}.definition,
  'note', ${from}.note, 'by', ${from}.by, 'at', ${time(`${from}.at`)})`

const RECORD = `select json_build_object('assignmentId', a.assignment_id, 'kind', a.kind, 'name', a.name,
  'version', a.version, 'hashes', a.hashes, 'refused', a.refused, 'sha256', a.sha256, 'definition', a.definition,
  'decidedBy', a.decided_by, 'decidedAt', ${time('a.decided_at')},
  'waiting', (select ${event('h')} from feature_history h where h.gateway_id = a.gateway_id
    and h.assignment_id = a.assignment_id and h.kind = a.kind and md5(h.name) = md5(a.name) and h.version = a.version
    and h.event not in ('trusted', 'approved', 'rejected')
    order by h.event = 'suspected', h.at desc limit 1)) as noun
  from feature_approvals a where a.gateway_id = $1 and a.assignment_id = $2`

const HISTORY = `select ${event('h')} as noun from feature_history h
  where h.gateway_id = $1 and h.assignment_id = $2 and h.kind = $3 and md5(h.name) = md5($4) order by h.at desc, h.id desc`
