import type { JsonObject } from '@gatehouse/sdk'
import { asGatehouseError } from '../errors.js'
import { slotKey } from './ability.js'
import type { CatalogLog } from './catalog-types.js'
import { isObject } from './message.js'
import type { Target, Upstreams } from './types.js'

/** What became of a wish to be told of a resource. `refused`: the server will not tell of it. */
export type Outcome = 'granted' | 'refused'

export interface Wish<T> {
  /** Settles when the server has been told; waits for one that is down. Never rejects. */
  readonly ready: Promise<T>
  /** Nothing is told any more. The last one of its kind tells the server so. */
  release(): void
}

/** Who wants to be told what by which server, whatever its era: one subscription for all who want the same. */
export interface Subscriptions {
  /** Keeps a server connected, so that it can tell of changed lists. A command is not kept running for that. */
  hold(target: Target): Wish<void>
  /** `heard` is told the params of each update of the resource, or of one within it. */
  watch(target: Target, uri: string, heard: (params: JsonObject) => void): Wish<Outcome>
  /** A server says that a resource was updated. */
  note(target: Target, note: JsonObject): void
  /** The server, or a credential of it, was changed or is gone: whoever goes on wanting to hear of it says so with its new target. */
  drop(serverId: string, key?: string): void
  stop(): void
}

export interface SubscriptionsOptions {
  readonly upstreams: Pick<Upstreams, 'request' | 'info' | 'listen' | 'onListChanged' | 'onForgotten'>
  readonly log: CatalogLog
  /** Milliseconds. */
  readonly timing?: Partial<SubscriptionsTiming>
}
export interface SubscriptionsTiming {
  /** How long a server has for each step. */
  readonly step: number
  /** First pause after a failure; doubled each time up to `retryMost`. */
  readonly retry: number
  readonly retryMost: number
  /** So often a server is looked after, which would be left for idle otherwise, or be lost without a word. */
  readonly pulse: number
}
const TIMING: SubscriptionsTiming = { step: 10_000, retry: 1_000, retryMost: 60_000, pulse: 60_000 }

interface Watcher {
  readonly heard: (params: JsonObject) => void
  readonly settle: (outcome: Outcome) => void
}

/** One server as one slot sees it. */
interface Entry {
  readonly id: string
  target: Target
  readonly holders: Set<() => void>
  readonly watchers: Map<string, Set<Watcher>>
  /** What the server was told, and its answer. */
  readonly asked: Map<string, Outcome>
  /** There is something to be done that is not being done. */
  isDue: boolean
  /** Whether it must be asked for a sign of life. */
  isDoubted: boolean
  isBusy: boolean
  failures: number
  timer: NodeJS.Timeout | undefined
}

export function createSubscriptions({ upstreams, log, timing: given }: SubscriptionsOptions): Subscriptions {
  const timing = { ...TIMING, ...given }
  const entries = new Map<string, Entry>()
  let stopped = false

  const idOf = (target: Target) => `${target.server.id}\n${slotKey(target)}`
  const isWanted = ({ holders, watchers }: Entry) => holders.size > 0 || watchers.size > 0
  const isCurrent = (entry: Entry) => !stopped && entries.get(entry.id) === entry

  function entryOf(target: Target): Entry {
    const id = idOf(target)
    const known = entries.get(id)
    if (known !== undefined) {
      known.target = target
      return known
    }
    const flags = { isDue: false, isDoubted: false, isBusy: false, failures: 0, timer: undefined }
    const entry: Entry = { id, target, holders: new Set(), watchers: new Map(), asked: new Map(), ...flags }
    entries.set(id, entry)
    return entry
  }

  function due(entry: Entry): void {
    entry.isDue = true
    if (entry.isBusy || !isCurrent(entry)) return
    clearTimeout(entry.timer)
    if (isWanted(entry) || entry.asked.size > 0) void attend(entry)
    else entries.delete(entry.id)
  }

  /** Until nothing is due: one thing at a time for each server. */
  async function attend(entry: Entry): Promise<void> {
    entry.isBusy = true
    try {
      while (entry.isDue && isCurrent(entry)) {
        entry.isDue = false
        await tellServer(entry)
        entry.failures = 0
      }
    } catch (error) {
      entry.failures += 1
      // What cannot be told that it shall be silent is not heard by anybody.
      if (!isWanted(entry)) entry.asked.clear()
      if (entry.failures === 1)
        log.warn({ server: entry.target.server.slug, error: asGatehouseError(error).code }, 'a server cannot be heard')
    } finally {
      entry.isBusy = false
    }
    if (!isCurrent(entry)) return
    if (!isWanted(entry) && entry.asked.size === 0) return void entries.delete(entry.id)
    const { failures } = entry
    const pause = failures > 0 ? Math.min(timing.retryMost, timing.retry * 2 ** (failures - 1)) : timing.pulse
    entry.timer = setTimeout(() => {
      entry.isDoubted = true
      due(entry)
    }, pause).unref()
  }

  async function tellServer(entry: Entry): Promise<void> {
    const deadline = Date.now() + timing.step
    const { era } = await upstreams.info(entry.target, deadline)
    const wanted = new Set(entry.watchers.keys())
    if (era === 'modern') {
      const granted = await upstreams.listen(entry.target, wanted, deadline)
      entry.asked.clear()
      for (const uri of wanted) entry.asked.set(uri, granted.has(uri) ? 'granted' : 'refused')
    } else await tellLegacy(entry, wanted)
    for (const holder of entry.holders) holder()
    for (const [uri, outcome] of entry.asked)
      for (const watcher of entry.watchers.get(uri) ?? []) watcher.settle(outcome)
  }

  async function tellLegacy(entry: Entry, wanted: ReadonlySet<string>): Promise<void> {
    const { target, asked } = entry
    const ask = (method: string, params: JsonObject = {}) =>
      upstreams.request(target, { method, params, deadline: Date.now() + timing.step })
    // A lost session shows itself here, and is opened anew.
    if (entry.isDoubted && target.server.url !== null) await ask('ping')
    entry.isDoubted = false
    for (const [uri, outcome] of asked) {
      if (wanted.has(uri)) continue
      asked.delete(uri)
      if (outcome === 'granted') await ask('resources/unsubscribe', { uri })
    }
    for (const uri of wanted) {
      if (asked.has(uri)) continue
      const { error } = await ask('resources/subscribe', { uri })
      asked.set(uri, error === null ? 'granted' : 'refused')
    }
  }

  const again = (which: (entry: Entry) => boolean, what: (entry: Entry) => void) => {
    for (const entry of entries.values()) {
      if (!which(entry)) continue
      what(entry)
      if (isWanted(entry)) due(entry)
    }
  }
  upstreams.onForgotten((target) =>
    again(
      ({ id }) => id === idOf(target),
      ({ asked }) => asked.clear(),
    ),
  )
  upstreams.onListChanged((serverId, _, why) => {
    if (why === 'missed')
      again(
        ({ target }) => target.server.id === serverId,
        (entry) => void (entry.isDoubted = true),
      )
  })

  return {
    hold(target) {
      if (stopped || target.server.url === null) return { ready: Promise.resolve(), release() {} }
      const entry = entryOf(target)
      let settle = () => {}
      const ready = new Promise<void>((resolve) => (settle = resolve))
      const holder = () => settle()
      entry.holders.add(holder)
      due(entry)
      return {
        ready,
        release() {
          entry.holders.delete(holder)
          if (!isWanted(entry)) due(entry)
        },
      }
    },
    watch(target, uri, heard) {
      if (stopped) return { ready: Promise.resolve('refused'), release() {} }
      const entry = entryOf(target)
      let settle: (outcome: Outcome) => void = () => {}
      const ready = new Promise<Outcome>((resolve) => (settle = resolve))
      const watcher = { heard, settle }
      const own = entry.watchers.get(uri) ?? new Set()
      entry.watchers.set(uri, own.add(watcher))
      // What was refused before is asked for again: the resource may be there by now.
      if (entry.asked.get(uri) === 'refused') entry.asked.delete(uri)
      if (entry.asked.has(uri)) settle('granted')
      else due(entry)
      return {
        ready,
        release() {
          if (!own.delete(watcher) || own.size > 0) return
          if (entry.watchers.get(uri) === own) entry.watchers.delete(uri)
          due(entry)
        },
      }
    },
    note(target, { params }) {
      const uri = isObject(params) ? params['uri'] : undefined
      if (typeof uri !== 'string') return
      for (const [watched, watchers] of entries.get(idOf(target))?.watchers ?? [])
        if (isWithin(uri, watched)) for (const { heard } of watchers) heard(params as JsonObject)
    },
    drop(serverId, key) {
      for (const entry of entries.values()) {
        const { target } = entry
        if (target.server.id !== serverId || (key !== undefined && key !== target.key)) continue
        clearTimeout(entry.timer)
        entries.delete(entry.id)
      }
    },
    stop() {
      stopped = true
      for (const { timer } of entries.values()) clearTimeout(timer)
      entries.clear()
    },
  }
}

export const isUpdate = (note: JsonObject): boolean => note['method'] === 'notifications/resources/updated'

/** A server may name a part of what was subscribed to (2025-11-25, resources updated). */
function isWithin(uri: string, watched: string): boolean {
  return uri === watched || uri.startsWith(watched.endsWith('/') ? watched : `${watched}/`)
}
