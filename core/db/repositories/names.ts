import type { EntityManager } from 'typeorm'
import type { NameCandidate, NameRepository, PublicName } from '../../domain/store.js'
import { notFound } from './rows.js'

const LONGEST = 8_192

/** Claimers of one gateway take turns behind its row; the unique indexes stand behind them. */
export function nameRepository(manager: EntityManager): NameRepository {
  return {
    of: (gatewayId) => namesOf(manager, gatewayId),
    claim: async (gatewayId, candidates) => {
      const storable = candidates.filter((candidate) => isStorable(candidate.upstreamName))
      const known = await namesOf(manager, gatewayId)
      if (choose(known, storable).length === 0) return known
      return manager.transaction(async (inside) => {
        const locked: unknown[] = await inside.query('select 1 from gateways where id = $1 for no key update', [
          gatewayId,
        ])
        if (locked.length === 0) throw notFound('gateway')
        const chosen = choose(await namesOf(inside, gatewayId), storable)
        await inside.query(INSERT, [gatewayId, JSON.stringify(chosen)])
        return namesOf(inside, gatewayId)
      })
    },
  }
}

/** A zero character cannot be stored; a name that no client could ever call is not given. */
const isStorable = (text: string): boolean => text.length <= LONGEST && !text.includes('\0')

function namesOf(manager: EntityManager, gatewayId: string): Promise<PublicName[]> {
  return manager.query(
    `select kind, assignment_id as "assignmentId", upstream_name as "upstreamName", name
     from public_names where gateway_id = $1 order by given_at, name`,
    [gatewayId],
  )
}

/** The new names: each candidate that has none takes the first of its wishes that is free. */
function choose(known: readonly PublicName[], candidates: readonly NameCandidate[]): PublicName[] {
  const owners = new Set(known.map(ownerOf))
  const taken = new Set(known.map(({ kind, name }) => `${kind} ${name}`))
  const chosen: PublicName[] = []
  for (const { kind, assignmentId, upstreamName, wanted } of candidates) {
    const name = wanted.find((wish) => isStorable(wish) && !taken.has(`${kind} ${wish}`))
    if (name === undefined || owners.has(ownerOf({ kind, assignmentId, upstreamName }))) continue
    const given = { kind, assignmentId, upstreamName, name }
    owners.add(ownerOf(given))
    taken.add(`${kind} ${name}`)
    chosen.push(given)
  }
  return chosen
}

const ownerOf = (name: Omit<PublicName, 'name'>): string =>
  JSON.stringify([name.kind, name.assignmentId, name.upstreamName])

const INSERT = `insert into public_names (gateway_id, kind, assignment_id, upstream_name, name)
  select $1, kind, "assignmentId", "upstreamName", name
  from jsonb_to_recordset($2) as given (kind text, "assignmentId" uuid, "upstreamName" text, name text)
  on conflict do nothing`
