import type { JsonObject } from '@gatehouse/sdk'
import type { Feature } from '../call.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import { slotKey } from '../upstream/ability.js'
import type { Access, Catalog } from '../upstream/catalog-types.js'
import type { ServerInfos } from '../upstream/server-infos.js'
import type { Outcome, Subscriptions, Wish } from '../upstream/subscriptions.js'
import type { Target } from '../upstream/types.js'
import { isObject } from '../mcp/message.js'
import { Pacer } from './pacer.js'

export type ListedKind = 'tools' | 'prompts' | 'resources'
export const LISTED: readonly ListedKind[] = ['tools', 'prompts', 'resources']

/** Somebody who is told what changes at the servers of a gateway. */
export interface Listener {
  readonly gatewayId: string
  readonly access: Access
  readonly listChanged: (kind: ListedKind) => void
  readonly updated: (update: Update) => void
}

/** A server says that a resource was updated; nothing of it has passed the rules yet. */
export interface Update {
  readonly plan: GatewayPlan
  readonly assignment: AssignmentPlan
  /** The resource as the server calls it. */
  readonly name: string
  /** The resource as the listener calls it; another than `params.uri` where that is a part of it. */
  readonly uri: string
  /** In the server's terms. */
  readonly params: JsonObject
}

/** `unknown`: there is no such resource for this listener. */
export type Watched = Outcome | 'unknown'

export interface SeatOptions {
  readonly catalog: Pick<Catalog, 'resolve' | 'resolveNow' | 'publicUris' | 'mayHide'>
  readonly infos: Pick<ServerInfos, 'known'>
  readonly subscriptions: Pick<Subscriptions, 'hold' | 'watch'>
  /** The gateway as it is configured now. */
  readonly plan: (gatewayId: string) => GatewayPlan | undefined
}

interface Watch {
  wish: Wish<Outcome> | null
  /** Of several that begin to watch, as the configuration changes, the last one counts. */
  turn: number
  outcome: Promise<Watched>
  /** The listener may read the resource. */
  isPermitted: boolean
}

const LIST_CHANGED_EVERY_MS = 1_000
const RESOLVE_MS = 5_000

/** The place of one listener: what it listens for, and what hangs on that at the servers. */
export class Seat {
  /** What its visible lists were when they were last looked at. */
  readonly prints = new Map<ListedKind, string>()
  /** Lists that may have changed since. */
  readonly doubted = new Set<ListedKind>()
  readonly #watches = new Map<string, Watch>()
  readonly #pacer: Pacer<ListedKind>
  #lists: ReadonlySet<ListedKind> = new Set()
  #holds: readonly Wish<void>[] = []
  #hasLeft = false

  constructor(
    readonly listener: Listener,
    private readonly options: SeatOptions,
    private readonly told: { readonly hears: () => void; readonly left: () => void },
  ) {
    this.#pacer = new Pacer(LIST_CHANGED_EVERY_MS, (kind) => listener.listChanged(kind))
  }

  get plan(): GatewayPlan | undefined {
    return this.options.plan(this.listener.gatewayId)
  }

  hears(kind: ListedKind): boolean {
    return this.#lists.has(kind)
  }

  /** A part of the list is of this server. */
  sees(assignment: AssignmentPlan): boolean {
    const target = this.listener.access.target(assignment)
    return !('state' in target) || target.lastSeenAs !== undefined
  }

  tell(kind: ListedKind): void {
    if (this.#lists.has(kind) && !this.#hasLeft) this.#pacer.hit(kind)
  }

  /** Listens for changes of these lists and of no others. Settles when every server that is seen can tell of them. */
  async hear(lists: Iterable<ListedKind>): Promise<void> {
    this.#lists = new Set(lists)
    for (const kind of LISTED) if (!this.#lists.has(kind)) this.prints.delete(kind)
    if (this.#lists.size > 0) this.told.hears()
    await this.#attach()
  }

  /** Settles when it is known whether updates of the resource will be told; a server that is down is waited for. */
  watch(uri: string): Promise<Watched> {
    const known = this.#watches.get(uri)
    if (known !== undefined) return known.outcome
    const watch: Watch = { wish: null, turn: 0, isPermitted: false, outcome: Promise.resolve('unknown') }
    this.#watches.set(uri, watch)
    watch.outcome = this.#begin(uri, watch)
    return watch.outcome
  }

  unwatch(uri: string): void {
    this.#watches.get(uri)?.wish?.release()
    this.#watches.delete(uri)
  }

  get watched(): readonly string[] {
    return [...this.#watches.keys()]
  }

  isPermitted(uri: string): boolean {
    return this.#watches.get(uri)?.isPermitted ?? false
  }

  /** The configuration is another: what hangs at servers is hung up where it belongs now. */
  settle(): void {
    void this.#attach()
    for (const [uri, watch] of this.#watches) watch.outcome = this.#begin(uri, watch)
  }

  leave(): void {
    this.#hasLeft = true
    this.#lists = new Set()
    this.#pacer.stop()
    for (const { wish } of this.#watches.values()) wish?.release()
    this.#watches.clear()
    void this.#attach()
    this.told.left()
  }

  /** The new ones first: what is held by both is not let go of between. */
  async #attach(): Promise<void> {
    const { access } = this.listener
    const assignments = this.#lists.size === 0 ? [] : (this.plan?.assignments ?? [])
    const targets = assignments.map((assignment) => access.target(assignment))
    const before = this.#holds
    const holds = targets.flatMap((target) => ('state' in target ? [] : [this.options.subscriptions.hold(target)]))
    this.#holds = holds
    for (const hold of before) hold.release()
    await Promise.all(holds.map(({ ready }) => ready))
  }

  async #begin(uri: string, watch: Watch): Promise<Watched> {
    const turn = (watch.turn += 1)
    const feature = await this.#find(uri).catch(() => null)
    if (watch.turn !== turn) return watch.outcome
    const before = watch.wish
    const target = feature === null ? null : this.listener.access.target(feature.assignment)
    const isWanted = this.#watches.get(uri) === watch
    watch.wish = null
    watch.isPermitted = isWanted && target !== null && !('state' in target)
    let outcome: Promise<Watched> = Promise.resolve('unknown')
    if (watch.isPermitted) {
      watch.wish = this.#wish(uri, feature as Feature, target as Target)
      outcome = watch.wish?.ready ?? Promise.resolve('refused')
    }
    before?.release()
    return outcome
  }

  /** Null when the server is known to tell of no resource. */
  #wish(uri: string, feature: Feature, target: Target): Wish<Outcome> | null {
    const info = this.options.infos.known({ server: target.server, key: slotKey(target) })
    const resources = info?.capabilities['resources']
    if (info !== null && !(isObject(resources) && resources['subscribe'] === true)) return null
    return this.options.subscriptions.watch(target, feature.name, (params) => this.#heard(uri, feature, params))
  }

  async #find(uri: string): Promise<Feature | null> {
    const { catalog } = this.options
    const { access } = this.listener
    const { plan } = this
    if (plan === undefined) return null
    const known = catalog.resolveNow(plan, 'resource', uri, access)
    return known === undefined ? catalog.resolve(plan, 'resource', uri, access, Date.now() + RESOLVE_MS) : known
  }

  /** Only what its listener may read now, whatever it might read when it began to watch. */
  #heard(uri: string, feature: Feature, params: JsonObject): void {
    const { plan } = this
    const { access } = this.listener
    const assignment = plan?.assignmentById.get(feature.assignment.assignment.id)
    if (plan === undefined || assignment === undefined || 'state' in access.target(assignment)) return
    const known = this.options.catalog.resolveNow(plan, 'resource', uri, access)
    if (known === null) return
    const tell = () => void this.#tellOf({ plan, assignment, name: feature.name, uri, params })
    if (known !== undefined) return tell()
    void this.#find(uri).then(
      (found) => found !== null && tell(),
      () => undefined,
    )
  }

  /** An update may be of a part that is hidden: then all that is told is that what is watched has changed. */
  async #tellOf(update: Update): Promise<void> {
    const { plan, assignment, name, params } = update
    const part = params.uri
    const { catalog } = this.options
    const mayHide = typeof part === 'string' && part !== name && catalog.mayHide(plan, assignment, 'resource')
    const isShown = !mayHide || (await this.#isShown(catalog.publicUris(plan, assignment)(part)))
    if (!this.#hasLeft) this.listener.updated(isShown ? update : { ...update, params: { ...params, uri: name } })
  }

  #isShown = (uri: string): Promise<boolean> =>
    this.#find(uri).then(
      (found) => found !== null,
      () => false,
    )
}
