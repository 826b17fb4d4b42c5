import { setTimeout as sleep } from 'node:timers/promises'
import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { clip } from '../domain/clip.js'
import { visible } from '../domain/feature-diff.js'
import { hashesOf, pinHash } from '../domain/feature-hash.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import type { FeatureRepository, ListKind, Sighting } from '../domain/store.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { withoutMarks } from '../mcp/json.js'
import type { Approval } from '../domain/feature-judge.js'
import { neighbourhoodOf, type NamedFeature } from '../poisoning/neighbourhood.js'
import { scan } from '../poisoning/scan.js'
import type { Scan, Suspicion } from '../poisoning/types.js'
import type { Approvals, OnSighting } from './approvals.js'
import type { SeenList } from './catalog-slot.js'
import { LISTS, type CatalogLog } from './catalog-types.js'
import { Neighbours } from './neighbours.js'

type ById = SeenList['byId']

/** So long at a stretch, and then as long again for whoever else has something to do. */
const SLICE_MS = 5
const LONGEST_REST = 100
/** Verdicts that are remembered, over all gateways. */
const MOST_VERDICTS = 20_000
const LONGEST_FIELD = 240

export interface SuspicionsOptions {
  readonly repository: Pick<FeatureRepository, 'suspect'>
  readonly approvals: Pick<Approvals, 'load' | 'peek' | 'reread'>
  /** Told once over all replicas of what is suspected. Must not throw. */
  readonly onSighting: OnSighting
  readonly log: CatalogLog
}

interface Place {
  readonly plan: GatewayPlan
  readonly assignment: AssignmentPlan
  readonly kind: ListKind
  readonly byId: ById
}

/**
 * Looks through the features of servers as they are listed, once for each definition and each circle of neighbours: in slices,
 * so that nobody waits for it, but for gateways that show nothing unseen.
 */
export class Suspicions {
  readonly #options: SuspicionsOptions
  readonly #neighbours = new Neighbours()
  readonly #verdicts = new Map<string, Scan>()
  readonly #done = new WeakMap<ById, Map<string, string>>()
  readonly #looked = new WeakMap<JsonObject, Set<string>>()
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: SuspicionsOptions) {
    this.#options = options
  }

  /** Null when all was looked through. Settles when it is, or could not be kept; never rejects. */
  look(plan: GatewayPlan, assignment: AssignmentPlan, kind: ListKind, byId: ById): Promise<void> | null {
    const { id, poisoning } = plan.gateway
    if (poisoning === 'off') return null
    const around = this.#neighbours.see(id, assignment.assignment.id, kind, byId)
    const state = `${poisoning} ${around}`
    const place = `${id}\n${assignment.assignment.id}\n${kind}`
    if (this.#done.get(byId)?.get(place) === state) return null
    const before = this.#running.get(place) ?? Promise.resolve()
    const work = before.then(() => this.#attempt({ plan, assignment, kind, byId }, place, state))
    this.#running.set(place, work)
    void work.then(() => this.#running.get(place) === work && this.#running.delete(place))
    return work
  }

  /** Whether this definition was looked through on a gateway that shows nothing unseen. */
  isLooked(gatewayId: string, definition: JsonObject): boolean {
    return this.#looked.get(definition)?.has(gatewayId) ?? false
  }

  async #attempt(place: Place, key: string, state: string): Promise<void> {
    const { plan, assignment, byId } = place
    if (this.#done.get(byId)?.get(key) === state) return
    try {
      // The table says what was approved, and what was refused elsewhere.
      await this.#options.approvals.load(plan.gateway.id)
      if (this.#options.approvals.peek(plan.gateway.id) === undefined) throw new GatehouseError('GH_DB_UNAVAILABLE')
      await this.#keep(place, await this.#lookThrough(place))
      const done = this.#done.get(byId) ?? new Map<string, string>()
      this.#done.set(byId, done.set(key, state))
    } catch (error) {
      const { code } = asGatehouseError(error)
      this.#options.log.warn({ server: assignment.prefix, error: code }, 'suspicions of features cannot be kept')
    }
  }

  async #lookThrough({ plan, assignment, kind, byId }: Place): Promise<readonly Sighting[]> {
    const { name: nameKind, id, feature } = LISTS[kind]
    const gatewayId = plan.gateway.id
    const assignmentId = assignment.assignment.id
    const { siblings, others, generation } = this.#neighbours.around(gatewayId, assignmentId)
    const key = `${gatewayId} ${assignmentId} ${generation}`
    const circle = { siblings, neighbours: neighbourhoodOf(others), key }
    const found: Sighting[] = []
    const pace = createPace()
    for (const [name, told] of byId) {
      await pace()
      const definition = withoutMarks(told)
      const hashes = hashesOf(definition, id)
      const approval = this.#options.approvals.peek(gatewayId)?.of(assignmentId, nameKind, name)
      const hash = pinHash(name, hashes)
      if (approval !== undefined && wasRead(approval, name, hash)) continue
      const { verdict, suspicions } = this.#judge(feature, definition, circle, hash)
      const [gravest] = suspicions
      if (verdict === 'clean' || gravest === undefined) continue
      const note = noteOf(gravest)
      const version = approval?.version ?? 1
      found.push({ event: 'suspected', name, version, sha256: hash, hashes, definition, note, suspicions })
    }
    return found
  }

  async #keep({ plan, assignment, kind, byId }: Place, found: readonly Sighting[]): Promise<void> {
    const { repository, approvals, onSighting } = this.#options
    const { id: gatewayId, poisoning } = plan.gateway
    const isStrict = poisoning === 'quarantine'
    const { name: nameKind } = LISTS[kind]
    const where = { gatewayId, assignmentId: assignment.assignment.id, kind: nameKind }
    const told = found.length === 0 ? [] : await repository.suspect(where, found, isStrict)
    if (isStrict) {
      if (found.length > 0) await approvals.reread(gatewayId)
      for (const definition of byId.values())
        this.#looked.set(definition, (this.#looked.get(definition) ?? new Set()).add(gatewayId))
      approvals.peek(gatewayId)?.looked()
    }
    for (const one of told) onSighting(plan, assignment, nameKind, one)
  }

  #judge(kind: FeatureKind, definition: JsonObject, circle: Circle, hash: string): Scan {
    const key = `${hash} ${circle.key}`
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const verdict = scan({ kind, definition, siblings: circle.siblings, neighbours: circle.neighbours })
    if (this.#verdicts.size >= MOST_VERDICTS) this.#verdicts.clear()
    this.#verdicts.set(key, verdict)
    return verdict
  }
}

/** The path to a field is made of the server's own words: of any length, and with signs that no database keeps. */
function noteOf({ check, field, explanation }: Suspicion): string {
  return visible(`${check} at ${clip(field, LONGEST_FIELD)}: ${explanation}`)
}

interface Circle {
  readonly siblings: readonly NamedFeature[]
  readonly neighbours: ReturnType<typeof neighbourhoodOf>
  readonly key: string
}

/** A person trusts this very definition: what is only trusted because it was the first has the version 1. */
function wasRead({ hashes, refused, version }: Approval, name: string, hash: string): boolean {
  return version > 1 && hashes !== null && !refused.includes(hash) && pinHash(name, hashes) === hash
}

/** Lets whoever waits go first, then works in slices and rests as long as it has worked. */
function createPace(): () => Promise<void> {
  let started: number | null = null
  return async () => {
    const spent = started === null ? SLICE_MS : performance.now() - started
    if (spent < SLICE_MS) return
    await sleep(started === null ? 0 : Math.min(spent, LONGEST_REST))
    started = performance.now()
  }
}
