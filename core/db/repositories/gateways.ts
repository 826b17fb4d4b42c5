import { createHash, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { EntityManager, QueryDeepPartialEntity } from 'typeorm'
import type { Assignment, Gateway, Rule, Stored } from '../../domain/nouns.js'
import type { GatewayRepository, Patch } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import { AssignmentEntity, GatewayEntity, RuleEntity } from '../entities/gateway.js'
import { insertRow, isId, moment, notFound, present, removeRow, updateRow } from './rows.js'
import type { Kind } from './rows.js'

type AssignmentDraft = Parameters<GatewayRepository['setAssignments']>[1][number]
type RuleDraft = Parameters<GatewayRepository['setRules']>[1][number]

const KIND: Kind<GatewayEntity> = {
  entity: GatewayEntity,
  noun: 'gateway',
  key: () => null,
  users: [
    {
      what: 'alert targets',
      sql: 'select slug as name from alert_targets where $1::uuid = any (gateway_ids) order by 1 limit 6',
    },
  ],
}
/** Held while slugs are given, since a slug must be no other gateway's former one and two tables cannot say so. */
const SLUG_LOCK = 7_014_002

/** A gateway with all its parts in one statement, so that they are of one moment. */
const SELECT = `select json_build_object(
  'id', g.id, 'managedBy', g.managed_by, 'createdAt', ${moment('g.created_at')}, 'updatedAt', ${moment('g.updated_at')},
  'slug', g.slug, 'title', g.title, 'prefix', g.prefix, 'legacySse', g.legacy_sse, 'capture', g.capture, 'pinning', g.pinning,
  'poisoning', g.poisoning,
  'enabled', g.enabled,
  'formerSlugs', (select coalesce(json_agg(f.slug order by f.slug), '[]')
    from gateway_former_slugs f where f.gateway_id = g.id),
  'teamIds', (select coalesce(json_agg(t.team_id order by t.team_id), '[]')
    from gateway_teams t where t.gateway_id = g.id),
  'assignments', (select coalesce(json_agg(json_build_object(
      'id', a.id, 'gatewayId', a.gateway_id, 'serverId', a.server_id, 'as', a.prefix, 'position', a.position,
      'scheme', case a.scheme when 'shared' then json_build_object('kind', 'shared', 'identityId', a.identity_id)
        else json_build_object('kind', a.scheme) end,
      'provisioning', a.provisioning,
      'enabled', a.enabled) order by a.position), '[]')
    from assignments a where a.gateway_id = g.id),
  'rules', (select coalesce(json_agg(json_build_object(
      'id', r.id, 'managedBy', r.managed_by, 'createdAt', ${moment('r.created_at')},
      'updatedAt', ${moment('r.updated_at')}, 'gatewayId', r.gateway_id, 'name', r.name, 'position', r.position,
      'version', r.version, 'engine', r.engine, 'hook', r.hook, 'action', r.action, 'onFailure', r.on_failure,
      'alerts', r.alerts, 'enabled', r.enabled, 'shadow', r.shadow, 'servers', r.servers, 'features', r.features,
      'config', r.config) order by r.position), '[]')
    from rules r where r.gateway_id = g.id)) as noun
  from gateways g`

export function gatewayRepository(manager: EntityManager): GatewayRepository {
  const select = async (rest: string, given: readonly unknown[]): Promise<Gateway[]> => {
    const rows: { noun: Gateway }[] = await manager.query(`${SELECT} ${rest}`, [...given])
    return rows.map((row) => row.noun)
  }
  const find = async (id: string): Promise<Gateway | null> =>
    isId(id) ? ((await select('where g.id = $1', [id]))[0] ?? null) : null

  return {
    all: () => select('order by g.created_at, g.id', []),
    find,
    byKey: async (slug) => (await select('where g.slug = $1', [slug]))[0] ?? null,
    insert: async (draft) => {
      const id = await manager.transaction(async (inside) => {
        const made = await insertRow(inside, GatewayEntity, draft)
        await writeSlugs(inside, { id: made, slug: draft.slug, former: draft.formerSlugs })
        await writeParts(inside, made, draft)
        return made
      })
      return present(await find(id), 'gateway')
    },
    update: async (id, patch) => {
      await manager.transaction(async (inside) => {
        const old = await lock(inside, id)
        await updateRow(inside, KIND, id, patch)
        const slug = patch.slug ?? old.slug
        const former = new Set(patch.formerSlugs ?? (await formerSlugs(inside, id)))
        if (slug !== old.slug) former.add(old.slug)
        former.delete(slug)
        await writeSlugs(inside, { id, slug, former: [...former] })
        await writeParts(inside, id, patch)
      })
      return present(await find(id), 'gateway')
    },
    remove: (id) => removeRow(manager, KIND, id),
    setAssignments: (id, assignments) =>
      manager.transaction(async (inside) => {
        await lock(inside, id)
        await writeAssignments(inside, id, assignments)
      }),
    setRules: (id, rules) =>
      manager.transaction(async (inside) => {
        await lock(inside, id)
        await writeRules(inside, id, rules)
      }),
  }
}

async function lock(manager: EntityManager, id: string): Promise<{ slug: string }> {
  if (!isId(id)) throw notFound('gateway')
  const rows: { slug: string }[] = await manager.query('select slug from gateways where id = $1 for no key update', [
    id,
  ])
  return present(rows[0] ?? null, 'gateway')
}

async function formerSlugs(manager: EntityManager, id: string): Promise<string[]> {
  const rows: { slug: string }[] = await manager.query('select slug from gateway_former_slugs where gateway_id = $1', [
    id,
  ])
  return rows.map((row) => row.slug)
}

async function writeSlugs(
  manager: EntityManager,
  { id, slug, former }: { id: string; slug: string; former: readonly string[] },
): Promise<void> {
  await manager.query('select pg_advisory_xact_lock($1)', [SLUG_LOCK])
  const taken: { slug: string }[] = await manager.query(
    `select slug from gateway_former_slugs where gateway_id <> $1 and slug = $2
     union select slug from gateways where id <> $1 and slug = any($3::text[])`,
    [id, slug, [...former]],
  )
  if (taken[0] !== undefined) {
    const message = `the slug ${taken[0].slug} is taken already, or was another gateway's and still leads there`
    throw new GatehouseError('GH_API_CONFLICT', { message })
  }
  await manager.query('delete from gateway_former_slugs where gateway_id = $1', [id])
  await manager.query('insert into gateway_former_slugs (slug, gateway_id) select unnest($2::text[]), $1', [
    id,
    [...new Set(former)],
  ])
}

async function writeParts(manager: EntityManager, id: string, parts: Patch<Gateway>): Promise<void> {
  if (parts.teamIds !== undefined) {
    await manager.query('delete from gateway_teams where gateway_id = $1', [id])
    await manager.query('insert into gateway_teams (gateway_id, team_id) select $1, unnest($2::uuid[])', [
      id,
      [...new Set(parts.teamIds)],
    ])
  }
  if (parts.assignments !== undefined) await writeAssignments(manager, id, parts.assignments)
  if (parts.rules !== undefined) await writeRules(manager, id, parts.rules)
}

/**
 * Without an id an assignment gets the one that follows from gateway, server and prefix: what is taken off a gateway and put
 * back finds the names it had.
 */
async function writeAssignments(
  manager: EntityManager,
  gatewayId: string,
  assignments: readonly AssignmentDraft[],
): Promise<void> {
  await manager.query('delete from assignments where gateway_id = $1', [gatewayId])
  const used = new Set(assignments.map((draft) => draft.id))
  const rows = assignments.map((draft, position) => {
    const usual = usualId(gatewayId, draft)
    const id = draft.id ?? (used.has(usual) ? randomUUID() : usual)
    used.add(id)
    return assignmentRow(id, gatewayId, draft, position)
  })
  await manager.insert(AssignmentEntity, rows as QueryDeepPartialEntity<AssignmentEntity>[])
}

function assignmentRow(
  id: string,
  gatewayId: string,
  draft: AssignmentDraft,
  position: number,
): Omit<AssignmentEntity, never> {
  const { serverId, as, scheme, provisioning, enabled } = draft
  const identityId = scheme.kind === 'shared' ? scheme.identityId : null
  return { id, gatewayId, serverId, prefix: as, position, scheme: scheme.kind, identityId, provisioning, enabled }
}

function usualId(gatewayId: string, { serverId, as }: Pick<Assignment, 'serverId' | 'as'>): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([gatewayId, serverId, as]))
    .digest()
    .subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Without an id a rule is the one that had its name. A change of content raises the version; a new place does not. */
async function writeRules(manager: EntityManager, gatewayId: string, drafts: readonly RuleDraft[]): Promise<void> {
  const before = await manager.findBy(RuleEntity, { gatewayId })
  await manager.query('delete from rules where gateway_id = $1', [gatewayId])
  const byId = new Map(before.map((rule) => [rule.id, rule]))
  const byName = new Map(before.map((rule) => [rule.name, rule]))
  const rows = drafts.map((draft, position) => {
    const old = draft.id === undefined ? byName.get(draft.name) : byId.get(draft.id)
    return { ...ruleRow(draft), id: draft.id ?? old?.id ?? randomUUID(), gatewayId, position, ...history(draft, old) }
  })
  await manager.insert(RuleEntity, rows as QueryDeepPartialEntity<RuleEntity>[])
}

type RuleContent = Omit<Rule, keyof Stored | 'gatewayId' | 'position' | 'version'> & Pick<Rule, 'managedBy'>

function ruleRow(rule: RuleContent): RuleContent {
  const { name, engine, hook, action, onFailure, alerts, enabled, shadow, servers, features, config, managedBy } = rule
  return { name, engine, hook, action, onFailure, alerts, enabled, shadow, servers, features, config, managedBy }
}

function history(draft: RuleDraft, old: RuleEntity | undefined): Partial<Rule> {
  if (old === undefined) return { version: 1 }
  const { createdAt, updatedAt, version } = old
  const { managedBy: _was, ...was } = ruleRow(old)
  const { managedBy: _is, ...is } = ruleRow(draft)
  return isDeepStrictEqual(was, JSON.parse(JSON.stringify(is)))
    ? { createdAt, updatedAt, version }
    : { createdAt, version: version + 1 }
}
