import type { FeatureKind } from '@gatehouse/sdk'
import type { Feature } from '../call.js'
import type { Why } from '../domain/feature-judge.js'
import type { Limits } from '../domain/nouns.js'
import { pins } from '../domain/provisioning.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import type { ListKind, ListRepository, NameRepository } from '../domain/store.js'
import type { ToPublicUri } from '../mcp/uris.js'
import { slotKey } from './ability.js'
import type { Approvals } from './approvals.js'
import { assemble } from './catalog-assemble.js'
import type { Part } from './catalog-assemble.js'
import { ServerLists } from './catalog-lists.js'
import { nameItems } from './catalog-name-items.js'
import { GivenNames } from './catalog-names.js'
import { publicUriOf, routeUri } from './catalog-routes.js'
import { settlesWithin } from './settles-within.js'
import type { Suspicions } from './suspicions.js'
import { expose, exposureOf, type Exposed } from './catalog-exposed.js'
import { Guard, type Reached, type Sight } from './catalog-guard.js'
import type { SeenList } from './catalog-slot.js'
import { LISTS } from './catalog-types.js'
import type { Access, Catalog, CatalogLog, Listing, ListListener, Previewed, PreviewOf } from './catalog-types.js'
import { fault } from './faults.js'
import type { ServerInfos } from './server-infos.js'
import type { Upstreams } from './types.js'

export type * from './catalog-types.js'

export interface CatalogOptions {
  readonly upstreams: Upstreams
  readonly infos: Pick<ServerInfos, 'ask'>
  readonly names: NameRepository
  readonly approvals: Approvals
  readonly suspicions: Pick<Suspicions, 'look' | 'isLooked'>
  /** Without it the last good lists do not survive a restart. */
  readonly lists?: ListRepository
  readonly limits: () => Pick<Limits, 'list' | 'staleList'>
  readonly log: CatalogLog
  readonly now?: () => number
  readonly brieflyMs?: number
}

/** How long the database may take to give names to what is new. */
const NAMING_MS = 1_000
const ALL: readonly ListKind[] = ['tools', 'prompts', 'resources', 'templates']
const RESOURCES: readonly ListKind[] = ['resources', 'templates']
const KINDS_OF: Readonly<Record<FeatureKind, readonly [ListKind, ...ListKind[]]>> = {
  tool: ['tools'],
  prompt: ['prompts'],
  resource: ['resources', 'templates'],
}

export function createCatalog(options: CatalogOptions): Catalog {
  return new ServerCatalog(options)
}

class ServerCatalog implements Catalog {
  readonly #lists: ServerLists
  readonly #names: GivenNames
  readonly #approvals: Approvals
  readonly #suspicions: CatalogOptions['suspicions']
  readonly #guard: Guard
  readonly #limits: CatalogOptions['limits']
  readonly #now: () => number
  readonly #listeners = new Set<ListListener>()

  constructor(options: CatalogOptions) {
    const { upstreams, infos, names, lists, limits, log, now = Date.now, brieflyMs = 100 } = options
    const changed = (serverId: string, kind: ListKind) => this.#tell(serverId, kind, 'doubted')
    this.#approvals = options.approvals
    this.#suspicions = options.suspicions
    this.#limits = limits
    this.#now = now
    this.#names = new GivenNames(names, now, log)
    this.#lists = new ServerLists({ upstreams, infos, saved: lists ?? null, limits, now, brieflyMs, log, changed })
    this.#guard = new Guard(this.#lists, this.#approvals, this.#suspicions)
    upstreams.onListChanged((serverId, kind, why) =>
      this.#drop(serverId, kind === 'resources' ? RESOURCES : [kind], why === 'said' ? 'said' : 'doubted'),
    )
  }

  async list(plan: GatewayPlan, kind: ListKind, access: Access, deadline: number): Promise<Listing> {
    const named = this.#inTime(this.#names.load(plan.gateway.id), deadline)
    const parts = await Promise.all(plan.assignments.map((one) => this.#part(plan, one, kind, access, deadline)))
    await named
    await this.#claimNames(plan, kind, parts)
    return assemble(plan, kind, parts, this.#names.peek(plan.gateway.id))
  }

  resolveNow(plan: GatewayPlan, kind: FeatureKind, publicName: string, access: Access): Feature | null | undefined {
    const meant = this.#meant(plan, kind, publicName)
    if (meant === null) return undefined
    if (this.#guard.guards(plan.gateway.id, meant)) return this.#guarded(plan, meant, access, null)
    const reached = KINDS_OF[kind].map((list) => this.#reach(meant.assignment, list, access))
    for (const { slot } of reached) {
      const definition = slot?.seen?.byId.get(meant.name)
      if (definition !== undefined) return { ...meant, definition }
    }
    const [{ target, slot }] = reached as [Reached]
    if (kind === 'resource' || slot === null || 'state' in target) return { ...meant, definition: null }
    return this.#lists.isFresh(slot) ? null : undefined
  }

  async resolve(
    plan: GatewayPlan,
    kind: FeatureKind,
    publicName: string,
    access: Access,
    deadline: number,
  ): Promise<Feature | null> {
    const known = this.resolveNow(plan, kind, publicName, access)
    if (known !== undefined) return known
    const asked = this.#now()
    await this.#inTime(this.#names.load(plan.gateway.id), deadline)
    const owner = this.#meant(plan, kind, publicName)
    if (owner !== null) await this.#ask(plan, owner, access, deadline)
    else await Promise.all(KINDS_OF[kind].map((list) => this.list(plan, list, access, deadline)))
    if (this.#meant(plan, kind, publicName) === null) await this.#inTime(this.#names.refresh(plan.gateway.id), deadline)
    return this.#orUnlisted(plan, kind, { publicName, access, asked })
  }

  publicUris(plan: GatewayPlan, assignment: AssignmentPlan): ToPublicUri {
    return publicUriOf(plan, this.#names.peek(plan.gateway.id), assignment)
  }

  onChanged(listener: ListListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  drop(serverId: string, kinds: readonly ListKind[] = ALL, key?: string): void {
    this.#drop(serverId, kinds, 'doubted', key)
  }

  fingerprint(plan: GatewayPlan, kind: ListKind, access: Access): string | null {
    let print = ''
    for (const assignment of plan.assignments) {
      const { target, slot } = this.#reach(assignment, kind, access)
      if (slot === null || ('state' in target && target.state === 'disabled')) continue
      const { seen, trouble } = this.#lists.view(slot)
      if (seen === null && trouble === null) return null
      if (seen === null || seen.byId.size === 0) continue
      const exposed = this.#guard.exposed(assignment, kind, seen, this.#sight(plan, assignment, access))
      if (exposed === null) print += `${assignment.assignment.id} ${seen.hash}\n`
      else if (exposed.byId.size > 0) print += `${assignment.assignment.id} ${exposed.hash}\n`
    }
    return print
  }

  stop(): void {
    this.#listeners.clear()
    this.#lists.stop()
  }

  whyHidden(plan: GatewayPlan, kind: FeatureKind, publicName: string, access: Access): Why | null {
    const meant = this.#meant(plan, kind, publicName)
    if (meant !== null) return this.#guard.why(meant, this.#sight(plan, meant.assignment, access))
    for (const assignment of plan.assignments) {
      const own = `${assignment.prefix}__`
      const names = publicName.startsWith(own) ? [publicName, publicName.slice(own.length)] : [publicName]
      const sight = this.#sight(plan, assignment, access)
      const seen = KINDS_OF[kind].map((list) => sight.reach(list).slot?.seen?.byId)
      const name = names.find((one) => seen.some((byId) => byId?.has(one)))
      const why = name === undefined ? null : this.#guard.why({ kind, name, assignment }, sight)
      if (why !== null) return why
    }
    return null
  }

  mayHide({ gateway }: GatewayPlan, assignment: AssignmentPlan, kind: FeatureKind): boolean {
    return this.#guard.guards(gateway.id, { kind, assignment })
  }

  async preview(plan: AssignmentPlan, kind: ListKind, of: PreviewOf): Promise<readonly Previewed[]> {
    const { gatewayId, target, deadline } = of
    const slot = this.#lists.slot({ server: target.server, key: slotKey(target) }, kind)
    await this.#inTime(this.#approvals.load(gatewayId), deadline)
    await this.#lists.freshen(slot, target, deadline, 0)
    const { seen, trouble } = this.#lists.view(slot)
    if (seen === null || trouble !== null)
      throw fault(trouble?.code ?? 'GH_UPSTREAM_UNREACHABLE', plan.prefix, trouble?.reason ?? 'cannot be listed')
    const { judged } = expose(plan, { kind, byId: seen.byId }, this.#approvals.peek(gatewayId))
    return [...judged].map(([name, judgement]) => ({ name, judgement, definition: seen.byId.get(name) ?? {} }))
  }

  /** A call whose server has to be asked first. */
  async #ask(plan: GatewayPlan, owner: Omit<Feature, 'definition'>, access: Access, deadline: number): Promise<void> {
    const { kind, assignment } = owner
    const lists = this.#guard.guards(plan.gateway.id, owner) ? KINDS_OF[kind] : [KINDS_OF[kind][0]]
    await Promise.all(lists.map((list) => this.#part(plan, assignment, list, access, deadline)))
  }

  async #part(
    plan: GatewayPlan,
    assignment: AssignmentPlan,
    kind: ListKind,
    access: Access,
    deadline: number,
  ): Promise<Part> {
    const started = this.#now()
    const { target, slot } = this.#reach(assignment, kind, access)
    const sight = this.#sight(plan, assignment, access)
    if ('state' in target) {
      const view = slot === null ? null : { ...this.#lists.view(slot), mark: null }
      const exposed = view?.seen ? this.#guard.exposed(assignment, kind, view.seen, sight) : null
      return { assignment, slot, view, exposed, noAccess: target, asked: false, ms: 0 }
    }
    // Apps go with their tools, so those have to be known as well.
    if (kind === 'resources' && assignment.exposures.tools !== null)
      await this.#part(plan, assignment, 'tools', access, deadline)
    const asked =
      slot !== null && (await this.#lists.freshen(slot, target, deadline, this.#guard.oldest(assignment, kind)))
    const view = slot === null ? null : this.#lists.view(slot)
    if (view?.seen) await this.#lookThrough(plan, assignment, kind, view.seen)
    const exposed = view?.seen ? await this.#settled(plan, assignment, kind, view.seen, sight) : null
    return { assignment, slot, view, exposed, noAccess: null, asked, ms: this.#now() - started }
  }

  /** Waited for only where nothing may be shown that was not looked through. */
  async #lookThrough(plan: GatewayPlan, assignment: AssignmentPlan, kind: ListKind, { byId }: SeenList): Promise<void> {
    const looking = this.#suspicions.look(plan, assignment, kind, byId)
    if (looking !== null && plan.gateway.poisoning === 'quarantine') await settlesWithin(looking, NAMING_MS)
  }

  /** What exists of a list, once everything that was seen of it for the first time is recorded, if that can be. */
  async #settled(
    plan: GatewayPlan,
    assignment: AssignmentPlan,
    kind: ListKind,
    seen: SeenList,
    sight: Sight,
  ): Promise<Exposed | null> {
    const gatewayId = plan.gateway.id
    const exposure = exposureOf(assignment, kind)
    const isPinning = exposure !== null && pins(exposure)
    // Time of its own, as for names.
    if (isPinning && this.#approvals.peek(gatewayId) === undefined)
      await settlesWithin(this.#approvals.load(gatewayId), NAMING_MS)
    const exposed = this.#guard.exposed(assignment, kind, seen, sight)
    if (exposed === null || !isPinning) return exposed
    const name = LISTS[kind].name
    const isBegun = this.#approvals.peek(gatewayId)?.isBegun(assignment.assignment.id, name) ?? true
    if (exposed.sightings.length === 0 && isBegun) return exposed
    await settlesWithin(this.#approvals.record(plan, assignment, name, exposed.sightings), NAMING_MS)
    return this.#guard.exposed(assignment, kind, seen, sight)
  }

  #sight({ gateway }: GatewayPlan, assignment: AssignmentPlan, access: Access, asked: number | null = null): Sight {
    return { gatewayId: gateway.id, reach: (kind) => this.#reach(assignment, kind, access), asked }
  }

  #guarded(
    plan: GatewayPlan,
    meant: Omit<Feature, 'definition'>,
    access: Access,
    asked: number | null,
  ): Feature | null | undefined {
    const found = this.#guard.find(meant, this.#sight(plan, meant.assignment, access, asked))
    return found ? { ...meant, definition: found.definition } : found
  }

  /** The slot is null when the caller has no credential and never had one. */
  #reach(assignment: AssignmentPlan, kind: ListKind, access: Access): Reached {
    const target = access.target(assignment)
    if (!('state' in target))
      return { target, slot: this.#lists.slot({ server: target.server, key: slotKey(target) }, kind) }
    if (target.lastSeenAs === undefined) return { target, slot: null }
    return { target, slot: this.#lists.slot({ server: assignment.server, key: target.lastSeenAs }, kind) }
  }

  /** Gives names to what is shown for the first time, in gateway order. */
  async #claimNames(plan: GatewayPlan, kind: ListKind, parts: readonly Part[]): Promise<void> {
    const table = this.#names.peek(plan.gateway.id)
    if (table === undefined) return
    const unnamed = parts.flatMap(({ assignment, view, exposed }) => {
      const seen = view?.seen
      const byId = exposed?.byId ?? seen?.byId
      return seen && byId ? nameItems(plan, assignment, { kind, byId, era: seen.era }, table).unnamed : []
    })
    // Time of its own: a server that used up the deadline must not cost the others their names.
    if (unnamed.length > 0) await settlesWithin(this.#names.claim(plan.gateway.id, unnamed), NAMING_MS)
  }

  /** Whose feature the name or URI stands for, wherever its server is now. */
  #meant(plan: GatewayPlan, kind: FeatureKind, publicName: string): Omit<Feature, 'definition'> | null {
    const table = this.#names.peek(plan.gateway.id)
    if (table === undefined) return null
    if (kind === 'resource') {
      const route = routeUri(plan, table, publicName)
      return route === null ? null : { kind, name: route.uri, publicName, assignment: route.assignment }
    }
    const given = table.owner(kind, publicName)
    const assignment = given === undefined ? undefined : plan.assignmentById.get(given.assignmentId)
    if (given === undefined || assignment === undefined) return null
    return { kind, name: given.upstreamName, publicName, assignment }
  }

  /** A name that was given but whose server could not be asked is not unknown: the call itself will say what is wrong. */
  #orUnlisted(
    plan: GatewayPlan,
    kind: FeatureKind,
    { publicName, access, asked }: { publicName: string; access: Access; asked: number },
  ): Feature | null {
    const meant = this.#meant(plan, kind, publicName)
    if (meant === null) return null
    if (this.#guard.guards(plan.gateway.id, meant)) return this.#guarded(plan, meant, access, asked) ?? null
    const feature = this.resolveNow(plan, kind, publicName, access)
    return feature === undefined ? { ...meant, definition: null } : feature
  }

  async #inTime(work: Promise<void>, deadline: number): Promise<void> {
    await settlesWithin(work, Math.min(this.#limits().list, deadline - this.#now()))
  }

  #drop(serverId: string, kinds: readonly ListKind[], why: Parameters<ListListener>[2], key?: string): void {
    this.#lists.drop(serverId, kinds, key)
    for (const kind of kinds) this.#tell(serverId, kind, why)
  }

  #tell(...change: Parameters<ListListener>): void {
    for (const listener of this.#listeners) listener(...change)
  }
}
