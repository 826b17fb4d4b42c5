import type { Era, JsonObject } from '@gatehouse/sdk'
import type { Assignment, Gateway, Server } from '../domain/nouns.js'
import { NO_ABILITY } from './ability.js'
import {
  compileExposures,
  DEFAULT_PINNING,
  EVERYTHING,
  type Pinning,
  type Provisioning,
} from '../domain/provisioning.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import type { ApprovalSeen, FeatureKey, FeatureRepository, NameKind, Sighting } from '../domain/store.js'
import type { ListKind, ListRepository, NameCandidate, NameRepository, PublicName } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { Approvals } from './approvals.js'
import { createCatalog } from './catalog.js'
import type { Access, Catalog } from './catalog.js'
import { createServerInfos } from './server-infos.js'
import type { ServerInfos } from './server-infos.js'
import type { ServerInfo, Target, UpstreamReply, UpstreamRequest, Upstreams } from './types.js'

/** What a fake server answers to a list; a page for each cursor, the first under ''. */
export type Answer = (request: UpstreamRequest, target: Target) => JsonObject | Promise<JsonObject>

export class FakeUpstreams implements Upstreams {
  readonly answers = new Map<string, Answer>()
  readonly infos = new Map<string, Partial<ServerInfo>>()
  readonly asked: { readonly slug: string; readonly key: string; readonly method: string }[] = []
  down: { readonly serverId: string; readonly since: number } | null = null
  readonly #listeners: Parameters<Upstreams['onListChanged']>[0][] = []

  /** The server lists these names (or URIs) from now on. */
  lists(slug: string, method: string, names: readonly string[]): this {
    return this.on(slug, method, () => ({ [FIELDS[method] ?? '']: names.map((name) => entry(method, name)) }))
  }

  on(slug: string, method: string, answer: Answer): this {
    this.answers.set(`${slug} ${method}`, answer)
    return this
  }

  fails(slug: string, method: string, code: GatehouseError['code'] = 'GH_UPSTREAM_UNREACHABLE'): this {
    return this.on(slug, method, () => {
      throw new GatehouseError(code, { message: `Server "${slug}" is away` })
    })
  }

  timesAsked(slug: string): number {
    return this.asked.filter((one) => one.slug === slug).length
  }

  endSession(): void {}

  toldBySession(): void {}

  announce(serverId: string, kind: 'tools' | 'prompts' | 'resources', why: 'said' | 'missed' = 'said'): void {
    for (const listener of this.#listeners) listener(serverId, kind, why)
  }

  /** What the modern servers were last asked to tell of, by slug. */
  readonly heard = new Map<string, readonly string[]>()
  readonly #forgotten: Parameters<Upstreams['onForgotten']>[0][] = []

  async listen(target: Target, uris: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    await this.info(target)
    this.heard.set(target.server.slug, [...uris])
    return uris
  }

  onForgotten(listener: Parameters<Upstreams['onForgotten']>[0]): void {
    this.#forgotten.push(listener)
  }

  forgets(target: Target): void {
    for (const listener of this.#forgotten) listener(target)
  }

  async request(target: Target, request: UpstreamRequest): Promise<UpstreamReply> {
    const { slug } = target.server
    this.asked.push({ slug, key: target.key, method: request.method })
    const answer = this.answers.get(`${slug} ${request.method}`)
    const era: Era = this.infos.get(slug)?.era ?? 'legacy'
    const reply = { era, httpStatus: 200, bytesSent: 1, bytesReceived: 10 }
    if (answer === undefined) return { ...reply, result: null, error: { code: -32601, message: 'no such method' } }
    return { ...reply, result: await answer(request, target), error: null }
  }

  async info(target: Target): Promise<ServerInfo> {
    const capabilities = { tools: { listChanged: true }, prompts: {}, resources: {} }
    const info = { era: 'legacy', version: '2025-11-25', capabilities, serverInfo: {}, instructions: null } as const
    return { ...info, ...this.infos.get(target.server.slug) }
  }

  onListChanged(listener: Parameters<Upstreams['onListChanged']>[0]): void {
    this.#listeners.push(listener)
  }

  state(serverId: string): ReturnType<Upstreams['state']> {
    if (this.down?.serverId !== serverId) return { up: null, reason: null, since: null }
    return { up: false, reason: 'it is down', since: this.down.since }
  }

  replace(): void {}
  async forget(): Promise<void> {}
  async stop(): Promise<void> {}
}

const FIELDS: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
}
const IDS: Readonly<Record<string, string>> = { 'resources/list': 'uri', 'resources/templates/list': 'uriTemplate' }

export function entry(method: string, name: string): JsonObject {
  return { [IDS[method] ?? 'name']: name, description: `what ${name} does`, 'x-unknown': { kept: true } }
}

/** Names as the database gives them: to the first comer, for ever. */
export class FakeNames implements NameRepository {
  readonly given: (PublicName & { readonly gatewayId: string })[] = []
  away = false
  claims = 0
  loads = 0

  async of(gatewayId: string): Promise<readonly PublicName[]> {
    this.#refuseWhenAway()
    this.loads += 1
    return this.given.filter((one) => one.gatewayId === gatewayId)
  }

  async claim(gatewayId: string, candidates: readonly NameCandidate[]): Promise<readonly PublicName[]> {
    this.#refuseWhenAway()
    this.claims += 1
    return candidates.flatMap((candidate) => this.#give(gatewayId, candidate))
  }

  #give(gatewayId: string, { wanted, ...owner }: NameCandidate): PublicName[] {
    const mine = this.given.filter((one) => one.gatewayId === gatewayId && one.kind === owner.kind)
    const known = mine.find((one) => one.assignmentId === owner.assignmentId && one.upstreamName === owner.upstreamName)
    if (known !== undefined) return [known]
    const name = wanted.find((one) => !mine.some((other) => other.name === one))
    if (name === undefined) return []
    this.given.push({ ...owner, name, gatewayId })
    return [{ ...owner, name }]
  }

  #refuseWhenAway(): void {
    if (this.away) throw new GatehouseError('GH_DB_UNAVAILABLE')
  }
}

export class FakeLists implements ListRepository {
  readonly saved = new Map<string, { readonly entries: readonly JsonObject[]; readonly at: number }>()

  async load(serverId: string, key: string, kind: ListKind) {
    return this.saved.get(`${serverId} ${key} ${kind}`) ?? null
  }

  async seen() {
    return []
  }

  async save(serverId: string, key: string, kind: ListKind, entries: readonly JsonObject[], at: number): Promise<void> {
    this.saved.set(`${serverId} ${key} ${kind}`, { entries, at })
  }
}

/** Approvals as the database keeps them. */
export class FakeFeatures implements Pick<FeatureRepository, 'of' | 'versions' | 'record' | 'suspect'> {
  readonly approvals = new Map<string, ApprovalSeen>()
  readonly baselines = new Map<string, { readonly assignmentId: string; readonly kind: NameKind }>()
  readonly told: Sighting[] = []
  readonly #once = new Set<string>()
  version = 0
  away = false

  async of() {
    this.#refuseWhenAway()
    return { version: this.version, approvals: [...this.approvals.values()], baselines: [...this.baselines.values()] }
  }

  async versions() {
    this.#refuseWhenAway()
    return this.version === 0 ? new Map<string, number>() : new Map([['gateway-1', this.version]])
  }

  async record({ assignmentId, kind }: Omit<FeatureKey, 'name'>, sightings: readonly Sighting[]) {
    this.#refuseWhenAway()
    this.baselines.set(`${assignmentId} ${kind}`, { assignmentId, kind })
    const news = sightings.filter((one) => {
      const key = `${assignmentId} ${kind} ${one.name}`
      const isFirst = !this.approvals.has(key)
      const { name, hashes, event, sha256 } = one
      const own = { assignmentId, kind, name, version: 1, hashes: event === 'trusted' ? hashes : null }
      if (isFirst) this.approvals.set(key, { ...own, refused: [] })
      const telling = `${key} ${one.version} ${event} ${sha256}`
      const isNew = (event !== 'trusted' || isFirst) && !this.#once.has(telling)
      this.#once.add(telling)
      return isNew
    })
    this.told.push(...news)
    return news
  }

  async suspect({ assignmentId, kind }: Omit<FeatureKey, 'name'>, sightings: readonly Sighting[], refuse: boolean) {
    this.#refuseWhenAway()
    for (const { name, sha256 } of refuse ? sightings : []) {
      const key = `${assignmentId} ${kind} ${name}`
      const own = this.approvals.get(key) ?? { assignmentId, kind, name, version: 1, hashes: null, refused: [] }
      this.version += 1
      this.approvals.set(key, { ...own, refused: [...own.refused, sha256] })
    }
    return sightings
  }

  /** A person decides, at whatever replica. */
  approve(assignmentId: string, kind: NameKind, { name, hashes }: Pick<Sighting, 'name' | 'hashes'>): void {
    const key = `${assignmentId} ${kind} ${name}`
    const before = this.approvals.get(key)
    this.version += 1
    this.approvals.set(key, { assignmentId, kind, name, hashes, refused: [], version: (before?.version ?? 0) + 1 })
  }

  #refuseWhenAway(): void {
    if (this.away) throw new GatehouseError('GH_DB_UNAVAILABLE')
  }
}

export interface World {
  readonly features: FakeFeatures
  readonly upstreams: FakeUpstreams
  readonly names: FakeNames
  readonly lists: FakeLists
  readonly clock: { now: number }
  readonly limits: { list: number; staleList: number }
}

export function world(limits: Partial<World['limits']> = {}): World {
  return {
    upstreams: new FakeUpstreams(),
    names: new FakeNames(),
    features: new FakeFeatures(),
    lists: new FakeLists(),
    clock: { now: Date.parse('2026-10-01T00:00:00Z') },
    limits: { list: 5_000, staleList: 600_000, ...limits },
  }
}

export function infosOf(upstreams: FakeUpstreams): ServerInfos {
  return createServerInfos({ upstreams, saved: null, log: { warn: () => {} } })
}

/** A gateway process in this world; a second one is what comes after a restart. */
export function start(world: World, brieflyMs = 5): Catalog {
  return startWith(world, approvalsOf(world), brieflyMs)
}

export function approvalsOf({ features, clock }: World): Approvals {
  const repository = features as unknown as FeatureRepository
  return new Approvals({ repository, onSighting: () => {}, log: { warn: () => {} }, now: () => clock.now })
}

/** The same with approvals that a test holds in its hand. */
export function startWith(
  { upstreams, names, lists, limits, clock }: World,
  approvals: Approvals,
  brieflyMs = 5,
): Catalog {
  const log = { warn: () => {} }
  const infos = infosOf(upstreams)
  const times = { brieflyMs, limits: () => limits, now: () => clock.now }
  const suspicions = { look: () => null, isLooked: () => true }
  return createCatalog({ upstreams, infos, names, approvals, suspicions, lists, log, ...times })
}

export function server(slug: string, changes: Partial<Server> = {}): Server {
  const times = { createdAt: '2026-09-01T00:00:00Z', updatedAt: '2026-09-01T00:00:00Z' }
  const dial = {
    url: `https://${slug}.test/mcp`,
    command: null,
    cwd: null,
    env: [],
    auth: 'none',
    headers: [],
    oauth: null,
  } as const
  const rest = { title: slug, protocol: 'auto', enabled: true, managedBy: 'api' } as const
  return { id: `server-${slug}`, slug, ...times, ...dial, ...rest, ...changes }
}

export interface Assigned {
  readonly server: Server
  readonly as?: string
  readonly provisioning?: Partial<Provisioning>
}

export function plan(assigned: readonly (string | Assigned)[], changes: Partial<Gateway> = {}): GatewayPlan {
  const assignments = assigned.map((one, position) =>
    assign(typeof one === 'string' ? { server: server(one) } : one, position, changes.pinning ?? DEFAULT_PINNING),
  )
  const times = { createdAt: '', updatedAt: '', managedBy: 'api' } as const
  const looks = {
    slug: 'g',
    title: 'G',
    formerSlugs: [],
    prefix: 'collision',
    legacySse: false,
    capture: 'none',
    pinning: DEFAULT_PINNING,
    poisoning: 'off',
  } as const
  const gateway: Gateway = {
    id: 'gateway-1',
    ...times,
    ...looks,
    enabled: true,
    teamIds: [],
    assignments: assignments.map(({ assignment }) => assignment),
    rules: [],
    ...changes,
  }
  const assignmentById = new Map(assignments.map((one) => [one.assignment.id, one]))
  return { gateway, assignments, assignmentById, rules: [] }
}

function assign({ server, as, provisioning: own = {} }: Assigned, position: number, pinning: Pinning): AssignmentPlan {
  const provisioning = { ...EVERYTHING, ...own }
  const prefix = as ?? server.slug
  const assignment: Assignment = {
    id: `assignment-${prefix}`,
    gatewayId: 'gateway-1',
    serverId: server.id,
    as: as ?? null,
    position,
    scheme: { kind: 'open' },
    provisioning,
    enabled: true,
  }
  return { assignment, server, identity: null, prefix, exposures: compileExposures(provisioning, pinning) }
}

/** Everyone may see everything, with one credential. */
export const open: Access = accessAs('public')

export function accessAs(key: string): Access {
  const secrets = async () => ({ headers: {}, env: {} })
  return { target: ({ server }) => ({ server, key, ability: NO_ABILITY, secrets }) }
}

/** Open but for one assignment. */
export function accessBut(prefix: string, answer: ReturnType<Access['target']>): Access {
  return { target: (assignment) => (assignment.prefix === prefix ? answer : open.target(assignment)) }
}
