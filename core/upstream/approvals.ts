import type { Approval } from '../domain/feature-judge.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import type { ApprovalSeen, FeatureRepository, NameKind, Sighting } from '../domain/store.js'
import { asGatehouseError } from '../errors.js'
import type { CatalogLog } from './catalog-types.js'

/** How long the database is left alone after it could not be asked. */
const PAUSE = 2_000
/** A server that shows ever new features must not fill the database; what is over it is not let through. */
const MOST_FEATURES = 20_000
const MOST_TOLD = 50_000

/** What is known of the features of one gateway, in memory. `version` rises with every change. */
export class ApprovalTable {
  version = 0
  readonly #byFeature = new Map<string, Approval>()
  readonly #byPlace = new Map<string, Map<string, Approval>>()
  readonly #baselines = new Set<string>()
  readonly #told = new Set<string>()
  readonly #refusing = new Set<string>()

  constructor(
    readonly decisions: number,
    approvals: readonly ApprovalSeen[],
    baselines: readonly { readonly assignmentId: string; readonly kind: NameKind }[],
  ) {
    for (const one of approvals) this.#add(one)
    for (const { assignmentId, kind } of baselines) this.#baselines.add(placeOf(assignmentId, kind))
  }

  of(assignmentId: string, kind: NameKind, name: string): Approval | undefined {
    return this.#byFeature.get(`${placeOf(assignmentId, kind)}\n${name}`)
  }

  /** By name. */
  all(assignmentId: string, kind: NameKind): ReadonlyMap<string, Approval> {
    return this.#byPlace.get(placeOf(assignmentId, kind)) ?? NONE
  }

  /** Features of this kind were recorded once: what comes now is new. */
  isBegun(assignmentId: string, kind: NameKind): boolean {
    return this.#baselines.has(placeOf(assignmentId, kind))
  }

  /** Some definition of a feature of this assignment is not let through, whatever is provisioned. */
  isRefusing(assignmentId: string): boolean {
    return this.#refusing.has(assignmentId)
  }

  isTold(assignmentId: string, kind: NameKind, sighting: Sighting): boolean {
    return this.#told.has(tellingOf(assignmentId, kind, sighting))
  }

  /** More was looked through than before. */
  looked(): void {
    this.version += 1
  }

  recorded(assignmentId: string, kind: NameKind, sightings: readonly Sighting[]): void {
    this.#baselines.add(placeOf(assignmentId, kind))
    if (this.#told.size > MOST_TOLD) this.#told.clear()
    for (const sighting of sightings) this.#told.add(tellingOf(assignmentId, kind, sighting))
    this.version += 1
  }

  /** What is remembered as told goes on being so. */
  follows(before: ApprovalTable): void {
    for (const told of before.#told) this.#told.add(told)
    this.version = before.version + 1
  }

  #add({ assignmentId, kind, name, version, hashes, refused }: ApprovalSeen): void {
    const approval = { version, hashes, refused }
    const place = placeOf(assignmentId, kind)
    this.#byFeature.set(`${place}\n${name}`, approval)
    this.#byPlace.set(place, (this.#byPlace.get(place) ?? new Map<string, Approval>()).set(name, approval))
    if (refused.length > 0) this.#refusing.add(assignmentId)
  }
}

const NONE: ReadonlyMap<string, Approval> = new Map()
const placeOf = (assignmentId: string, kind: NameKind): string => `${assignmentId}\n${kind}`
/** What is new is told once, as whatever it was told. */
const tellingOf = (assignmentId: string, kind: NameKind, { event, name, version, sha256 }: Sighting): string =>
  `${assignmentId}\n${kind}\n${event === 'renamed' ? 'appeared' : event}\n${version}\n${sha256}\n${name}`

/** Told once over all replicas of what was seen of a pinned feature and is not trusted. Must not throw. */
export type OnSighting = (plan: GatewayPlan, assignment: AssignmentPlan, kind: NameKind, sighting: Sighting) => void

export interface ApprovalsOptions {
  readonly repository: FeatureRepository
  readonly onSighting: OnSighting
  readonly log: CatalogLog
  readonly now?: () => number
}

/**
 * Which definitions of features are trusted, by gateway. What a person decides is here before the configuration that came
 * with it is swapped in (`follow`); what was seen first is settled by the database, when two replicas see it.
 */
export class Approvals {
  readonly #options: ApprovalsOptions
  readonly #tables = new Map<string, ApprovalTable>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #pausedUntil = new Map<string, number>()

  constructor(options: ApprovalsOptions) {
    this.#options = options
  }

  peek(gatewayId: string): ApprovalTable | undefined {
    return this.#tables.get(gatewayId)
  }

  /** Loads the table unless it is there already; a failure is followed by a pause, not by a throw. */
  async load(gatewayId: string): Promise<void> {
    if (!this.#tables.has(gatewayId)) await this.#inTurn(gatewayId, () => this.#read(gatewayId))
  }

  /** Reads again what was decided on elsewhere. Throws when it cannot: what was refused there must not pass here. */
  async follow(): Promise<void> {
    const versions = await this.#options.repository.versions()
    const old = [...versions].filter(([id, version]) => this.#tables.get(id)?.decisions !== version)
    await Promise.all(old.map(([id]) => this.#read(id)))
  }

  /** Reads the table of one gateway again; throws when it cannot. */
  async reread(gatewayId: string): Promise<void> {
    await this.#read(gatewayId)
  }

  /** Keeps what is new of pinned features, and tells of it. Whatever could not be kept waits. */
  async record(
    plan: GatewayPlan,
    assignment: AssignmentPlan,
    kind: NameKind,
    seen: readonly Sighting[],
  ): Promise<void> {
    const gatewayId = plan.gateway.id
    const assignmentId = assignment.assignment.id
    await this.load(gatewayId)
    await this.#inTurn(gatewayId, async () => {
      const table = this.#tables.get(gatewayId)
      const isFull = (table?.all(assignmentId, kind).size ?? 0) >= MOST_FEATURES
      const kept = seen.filter((one) => !isFull || table?.of(assignmentId, kind, one.name) !== undefined)
      const isNew =
        table !== undefined &&
        (!table.isBegun(assignmentId, kind) || kept.some((one) => !table.isTold(assignmentId, kind, one)))
      if (!isNew) return
      const told = await this.#options.repository.record({ gatewayId, assignmentId, kind }, kept)
      await this.#read(gatewayId)
      this.#tables.get(gatewayId)?.recorded(assignmentId, kind, kept)
      for (const one of told) if (one.event !== 'trusted') this.#options.onSighting(plan, assignment, kind, one)
    })
  }

  async #read(gatewayId: string): Promise<void> {
    const { version, approvals, baselines } = await this.#options.repository.of(gatewayId)
    const before = this.#tables.get(gatewayId)
    // Two readings at once: the one that knows more stands.
    if (before !== undefined && before.decisions > version) return
    const table = new ApprovalTable(version, approvals, baselines)
    if (before !== undefined) table.follows(before)
    this.#tables.set(gatewayId, table)
  }

  /** One after another for a gateway. */
  async #inTurn(gatewayId: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#running.get(gatewayId) ?? Promise.resolve()).then(() => this.#attempt(gatewayId, work))
    this.#running.set(gatewayId, turn)
    await turn
    if (this.#running.get(gatewayId) === turn) this.#running.delete(gatewayId)
  }

  async #attempt(gatewayId: string, work: () => Promise<void>): Promise<void> {
    const { now = Date.now, log } = this.#options
    if (now() < (this.#pausedUntil.get(gatewayId) ?? 0)) return
    try {
      await work()
    } catch (error) {
      this.#pausedUntil.set(gatewayId, now() + PAUSE)
      const { code } = asGatehouseError(error)
      log.warn({ gateway: gatewayId, error: code }, 'approvals of features cannot be asked for')
    }
  }
}
