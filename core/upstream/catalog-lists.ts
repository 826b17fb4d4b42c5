import type { Limits } from '../domain/nouns.js'
import type { ListKind, ListRepository } from '../domain/store.js'
import { asGatehouseError } from '../errors.js'
import type { GatehouseError } from '../errors.js'
import { isSeenAs } from './ability.js'
import { readList } from './catalog-read.js'
import { seenList, worsen } from './catalog-slot.js'
import { settlesWithin } from './settles-within.js'
import type { Flight, SeenList, Slot, Trouble } from './catalog-slot.js'
import type { CatalogLog, MarkState } from './catalog-types.js'
import { fault } from './faults.js'
import type { ServerInfos } from './server-infos.js'
import type { Target, Upstreams } from './types.js'
import { hasMark } from '../mcp/json.js'

/** A question goes on so many times longer than lists wait for it, so that a slow server still fills the cache. */
const PATIENCE = 6
/** A caller whose deadline is that share of a list's has waited long enough to call the server slow. */
const NEARLY = 0.9
const LARGEST_SAVED = 4 * 1024 * 1024
const MOST_SLOTS = 10_000
/** Questions for one list at a time: the newest, and those that a change has overtaken. */
const MOST_AT_ONCE = 3

export interface ListsOptions {
  readonly upstreams: Upstreams
  readonly infos: Pick<ServerInfos, 'ask'>
  readonly saved: ListRepository | null
  readonly limits: () => Pick<Limits, 'list' | 'staleList'>
  readonly now: () => number
  /** How long a list waits for a server that is known to be in trouble. */
  readonly brieflyMs: number
  readonly log: CatalogLog
  readonly changed: (serverId: string, kind: ListKind) => void
}

/** What of a server's list may be shown now. `seen` is null when nothing may. */
export interface View {
  readonly seen: SeenList | null
  readonly mark: { readonly state: MarkState; readonly reason: string; readonly since: number | null } | null
  readonly trouble: Trouble | null
  readonly promisedMs: number
}

/**
 * The lists of all servers, one slot per server, credential and kind. A fresh one is served from memory; else the server is
 * asked, once for all who want it. A server found in trouble is asked again in the background, after growing pauses.
 */
export class ServerLists {
  readonly #options: ListsOptions
  readonly #slots = new Map<string, Slot>()
  readonly #byServer = new Map<string, Set<Slot>>()
  /** Trouble that all lists of a server share, by server and credential: it is down, or hangs. */
  readonly #origins = new Map<string, Trouble>()
  /** All questions on their way, those too that no slot waits for any more. */
  readonly #underway = new Set<AbortController>()
  #stopped = false

  constructor(options: ListsOptions) {
    this.#options = options
  }

  /** The slot, made at first use, and anew when the server's configuration changed. */
  slot(target: Pick<Slot, 'server' | 'key'>, kind: ListKind): Slot {
    const id = `${target.server.id}\n${target.key}\n${kind}`
    const known = this.#slots.get(id)
    const now = this.#options.now()
    if (known !== undefined && known.server.updatedAt === target.server.updatedAt) {
      known.usedAt = now
      return known
    }
    known?.flight?.abort.abort()
    if (known !== undefined) this.#forget(id, known)
    const slot = newSlot(target, kind, now)
    slot.restored = this.#restore(slot)
    this.#slots.set(id, slot)
    this.#byServer.set(slot.server.id, (this.#byServer.get(slot.server.id) ?? new Set()).add(slot))
    if (this.#slots.size > MOST_SLOTS) this.#evict()
    return slot
  }

  /** Sees to it that the slot is as fresh as can be had before the deadline. True when the server was asked. */
  async freshen(slot: Slot, target: Target, deadline: number, oldestMs = Infinity): Promise<boolean> {
    if (this.#isOlder(slot, oldestMs)) slot.freshUntil = 0
    const { generation } = slot
    const asked = await this.#freshenOnce(slot, target, deadline)
    return slot.generation === generation ? asked : await this.#freshenOnce(slot, target, deadline)
  }

  async #freshenOnce(slot: Slot, target: Target, deadline: number): Promise<boolean> {
    // A list that changes all the time is not asked for by everyone at once: who comes then waits for an answer to end.
    if (slot.flight === null && slot.underway.size >= MOST_AT_ONCE)
      await settlesWithin(Promise.race(slot.underway), deadline - this.#options.now())
    const now = this.#options.now()
    const trouble = this.#troubleOf(slot)
    if ((now < slot.freshUntil && trouble === null) || this.#stopped) return false
    const flight = slot.flight ?? (now < (trouble?.retryAt ?? 0) ? null : this.#ask(slot, target))
    if (flight !== null) await this.#wait(slot, flight, { deadline, isTroubled: trouble !== null })
    if (slot.seen === null) await settlesWithin(slot.restored, Math.min(this.#options.brieflyMs, deadline - now))
    return flight !== null
  }

  view(slot: Slot): View {
    const now = this.#options.now()
    const trouble = this.#troubleOf(slot)
    const { seen } = slot
    const flaw = seen?.flaw ?? null
    if (trouble !== null) return { ...this.#troubledView(slot, trouble, now), trouble, promisedMs: 0 }
    if (seen === null) return { seen, mark: mark('missing', 'it has not answered yet', null), trouble, promisedMs: 0 }
    if (slot.flight !== null || slot.freshUntil === 0)
      return { seen, mark: mark('stale', 'it is being asked again', seen.at), trouble, promisedMs: 0 }
    if (flaw !== null) return { seen, mark: mark('missing', flaw, seen.at), trouble, promisedMs: 0 }
    const remaining = Math.max(0, slot.freshUntil - now)
    return { seen, mark: null, trouble, promisedMs: Math.min(seen.promisedMs, remaining) }
  }

  /** `oldestMs`: whatever the server promised, a list that was read longer ago is not. */
  isFresh(slot: Slot, oldestMs = Infinity): boolean {
    return this.#options.now() < slot.freshUntil && !this.#isOlder(slot, oldestMs) && this.#troubleOf(slot) === null
  }

  /** It is as the server had it at that time or later, however long it may be kept. */
  isOf(slot: Slot, since: number): boolean {
    return (slot.seen?.at ?? -1) >= since && slot.freshUntil > 0 && this.#troubleOf(slot) === null
  }

  #isOlder = ({ seen }: Slot, oldestMs: number): boolean => seen !== null && this.#options.now() - seen.at >= oldestMs

  /** What was seen stays for when the server cannot be asked; pauses end, as the server gave a sign of life. */
  drop(serverId: string, kinds: readonly ListKind[], key?: string): void {
    for (const slot of this.#byServer.get(serverId) ?? []) {
      if (!kinds.includes(slot.kind) || (key !== undefined && !isSeenAs(slot.key, key))) continue
      slot.freshUntil = 0
      slot.generation += 1
      slot.flight = null
      slot.trouble = null
      this.#origins.delete(originOf(slot))
    }
  }

  stop(): void {
    this.#stopped = true
    for (const abort of this.#underway) abort.abort()
  }

  #troubledView(slot: Slot, trouble: Trouble, now: number): Pick<View, 'seen' | 'mark'> {
    const { seen } = slot
    if (trouble.code === 'GH_UPSTREAM_AUTH' || trouble.code === 'GH_FORWARD_CONNECT')
      return { seen, mark: mark('connect_required', trouble.reason, trouble.since) }
    if (seen !== null && now - trouble.since <= this.#options.limits().staleList)
      return { seen, mark: mark('stale', trouble.reason, trouble.since) }
    return { seen: null, mark: mark('missing', trouble.reason, trouble.since) }
  }

  #troubleOf(slot: Slot): Trouble | null {
    const own = slot.trouble ?? this.#origins.get(originOf(slot))
    if (own !== undefined) return own
    const { up, reason, since } = this.#options.upstreams.state(slot.server.id)
    if (up !== false || since === null || since <= (slot.seen?.at ?? 0)) return null
    return { code: 'GH_UPSTREAM_UNREACHABLE', reason: reason ?? 'it is down', since, failures: 0, retryAt: 0 }
  }

  async #wait(slot: Slot, flight: Flight, how: { deadline: number; isTroubled: boolean }): Promise<void> {
    const { now, limits, brieflyMs } = this.#options
    const longest = flight.startedAt + (how.isTroubled ? brieflyMs : limits().list)
    const isCutShort = how.deadline - flight.startedAt < limits().list * NEARLY
    if (await settlesWithin(flight.promise, Math.min(longest, how.deadline) - now())) return
    flight.abandoned = true
    if (isCutShort || how.isTroubled || slot.flight !== flight) return
    const slow = fault('GH_UPSTREAM_TIMEOUT', slot.server.slug, 'does not answer in time')
    this.#origins.set(originOf(slot), worsen(this.#origins.get(originOf(slot)) ?? null, slow, now()))
  }

  #ask(slot: Slot, target: Target): Flight {
    const { now, limits } = this.#options
    const abort = new AbortController()
    const patience = limits().list * PATIENCE
    const deadline = now() + patience
    const { generation } = slot
    const answered = readList(target, slot.kind, { ...this.#options, deadline, signal: abort.signal })
    const flight: Flight = {
      startedAt: now(),
      abort,
      abandoned: false,
      // Whatever is wrong with what came is trouble of this server's, and nobody else's.
      promise: within(answered, patience, slot, abort)
        .then((list) => this.#answered(slot, flight, seenList(list, slot.kind, now()), generation))
        .catch((error: unknown) => this.#failed(slot, flight, asGatehouseError(error))),
    }
    this.#underway.add(abort)
    slot.underway.add(flight.promise)
    void flight.promise.finally(() => {
      this.#underway.delete(abort)
      slot.underway.delete(flight.promise)
    })
    slot.flight = flight
    return flight
  }

  #answered(slot: Slot, flight: Flight, seen: SeenList, generation: number): void {
    if (this.#stopped) return
    const isOfThePast = generation !== slot.generation
    if (isOfThePast && slot.seen !== null) return
    slot.seen = seen.hash === slot.seen?.hash ? { ...seen, entries: slot.seen.entries, byId: slot.seen.byId } : seen
    if (isOfThePast) return
    slot.freshUntil = seen.at + seen.ttlMs
    slot.flight = null
    slot.trouble = null
    this.#origins.delete(originOf(slot))
    this.#save(slot, seen)
    if (flight.abandoned) this.#options.changed(slot.server.id, slot.kind)
  }

  #failed(slot: Slot, flight: Flight, error: GatehouseError): void {
    if (this.#stopped || slot.flight !== flight) return
    const now = this.#options.now()
    slot.flight = null
    slot.trouble = worsen(slot.trouble ?? this.#origins.get(originOf(slot)) ?? null, error, now)
    if (error.code === 'GH_UPSTREAM_UNREACHABLE' || error.code === 'GH_UPSTREAM_TIMEOUT')
      this.#origins.set(originOf(slot), slot.trouble)
  }

  async #restore(slot: Slot): Promise<void> {
    const { saved, log } = this.#options
    try {
      const found = await saved?.load(slot.server.id, slot.key, slot.kind)
      if (!found || slot.seen !== null || found.at < Date.parse(slot.server.updatedAt)) return
      const list = { era: null, ttlMs: 0, promisedMs: 0, scope: 'private', bytes: 0, flaw: null } as const
      slot.seen = seenList({ ...list, entries: found.entries }, slot.kind, found.at)
      slot.savedHash = slot.seen.hash
    } catch (error) {
      log.warn({ server: slot.server.slug, error: asGatehouseError(error).code }, 'the last list cannot be restored')
    }
  }

  #save(slot: Slot, seen: SeenList): void {
    const { saved, log } = this.#options
    if (saved === null || slot.savedHash === seen.hash) return
    const text = JSON.stringify(seen.entries)
    if (text.length > LARGEST_SAVED || hasMark(text)) return
    slot.savedHash = seen.hash
    saved.save(slot.server.id, slot.key, slot.kind, seen.entries, seen.at).catch((error: unknown) => {
      slot.savedHash = null
      log.warn({ server: slot.server.slug, error: asGatehouseError(error).code }, 'the list cannot be saved')
    })
  }

  /** Forgets the tenth that was idle longest; whoever comes back is asked for anew. */
  #evict(): void {
    const idle = [...this.#slots].filter(([, slot]) => slot.flight === null)
    idle.sort(([, one], [, other]) => one.usedAt - other.usedAt)
    for (const [id, slot] of idle.slice(0, MOST_SLOTS / 10)) this.#forget(id, slot)
  }

  #forget(id: string, slot: Slot): void {
    const own = this.#byServer.get(slot.server.id)
    this.#slots.delete(id)
    this.#origins.delete(originOf(slot))
    if (own?.delete(slot) && own.size === 0) this.#byServer.delete(slot.server.id)
  }
}

function newSlot(target: Pick<Slot, 'server' | 'key'>, kind: ListKind, now: number): Slot {
  const { server, key } = target
  const empty = { seen: null, freshUntil: 0, generation: 0, flight: null, trouble: null, savedHash: null }
  return { server, key, kind, ...empty, underway: new Set(), restored: Promise.resolve(), usedAt: now }
}

function originOf(slot: Pick<Slot, 'server' | 'key'>): string {
  return `${slot.server.id}\n${slot.key}`
}

function mark(state: MarkState, reason: string, since: number | null): NonNullable<View['mark']> {
  return { state, reason, since }
}

/** Even a transport that forgets its deadline ends here, and when the slot is given up. */
async function within<T>(answer: Promise<T>, ms: number, slot: Slot, abort: AbortController): Promise<T> {
  const { signal } = abort
  let giveUp: (() => void) | undefined
  const given = new Promise<never>((_, reject) => {
    giveUp = () => reject(fault('GH_UPSTREAM_TIMEOUT', slot.server.slug, 'does not answer in time'))
    signal.addEventListener('abort', giveUp, { once: true })
  })
  const timer = setTimeout(() => abort.abort(), ms)
  try {
    return await Promise.race([answer, given])
  } finally {
    clearTimeout(timer)
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp)
  }
}
