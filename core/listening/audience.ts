import type { ListKind } from '../domain/store.js'
import type { GatewayPlan } from '../domain/snapshot.js'
import { asGatehouseError } from '../errors.js'
import { slotKey } from '../upstream/ability.js'
import { LISTS, type Access, type Catalog, type CatalogLog, type ListListener } from '../upstream/catalog-types.js'
import type { Subscriptions } from '../upstream/subscriptions.js'
import { LISTED, Seat, type ListedKind, type Listener, type SeatOptions } from './seat.js'

/** Everybody who is told what changes at the servers. */
export interface Audience {
  enter(listener: Listener): Seat
  /** A server, or a credential of it, was changed or is gone: nothing is expected of its old connections. */
  drop(serverId: string, key?: string): void
  /** The configuration is another one. */
  swapped(): void
  stop(): void
}

export interface AudienceOptions extends Omit<SeatOptions, 'catalog' | 'subscriptions'> {
  readonly catalog: Pick<
    Catalog,
    'resolve' | 'resolveNow' | 'publicUris' | 'mayHide' | 'list' | 'fingerprint' | 'onChanged'
  >
  readonly subscriptions: Pick<Subscriptions, 'hold' | 'watch' | 'drop'>
  readonly limits: () => { readonly list: number }
  readonly log: CatalogLog
}

/** Doubts that come together are looked into together, and not more often than listeners are told. */
const GATHER_MS = 50
const LOOK_EVERY_MS = 1_000
const LISTS_OF: Readonly<Record<ListedKind, readonly ListKind[]>> = {
  tools: ['tools'],
  prompts: ['prompts'],
  resources: ['resources', 'templates'],
}

/**
 * What a server says of its lists goes at once to whoever sees all of it. Where a list only may have changed (by a change of the
 * configuration, after a lost connection, by a late answer, or in what is hidden), those are told whose visible list is another one.
 */
export function createAudience(options: AudienceOptions): Audience {
  const { catalog, subscriptions, plan, limits, log } = options
  const seats = new Map<string, Set<Seat>>()
  let timer: NodeJS.Timeout | undefined
  let lookedAt = 0
  let isLooking = false
  let stopped = false

  const changed: ListListener = (serverId, list, why) => {
    const kind = list === 'templates' ? 'resources' : list
    for (const [gatewayId, present] of seats) {
      const now = plan(gatewayId)
      const showing = now?.assignments.filter(({ server }) => server.id === serverId) ?? []
      if (now === undefined || showing.length === 0) continue
      const whole = showing.filter((one) => !catalog.mayHide(now, one, LISTS[kind].feature))
      for (const seat of present) {
        if (!seat.hears(kind) || !showing.some((assignment) => seat.sees(assignment))) continue
        if (why === 'doubted' || !whole.some((one) => seat.sees(one))) seat.doubted.add(kind)
        else {
          seat.prints.delete(kind)
          seat.tell(kind)
        }
      }
    }
    lookSoon()
  }
  const end = catalog.onChanged(changed)

  function lookSoon(): void {
    if (stopped || isLooking || timer !== undefined || seats.size === 0) return
    timer = setTimeout(() => void look(), Math.max(GATHER_MS, lookedAt + LOOK_EVERY_MS - Date.now())).unref()
  }

  async function look(): Promise<void> {
    timer = undefined
    isLooking = true
    try {
      for (const [gatewayId, present] of seats) {
        const now = plan(gatewayId)
        if (now !== undefined) await Promise.all(LISTED.map((kind) => lookAt(now, kind, [...present])))
      }
    } catch (error) {
      log.warn({ error: asGatehouseError(error).code }, 'changes of lists could not be looked into')
    }
    lookedAt = Date.now()
    isLooking = false
    if (unsettled()) lookSoon()
  }

  const needsLook = (seat: Seat, kind: ListedKind) =>
    seat.hears(kind) && (seat.doubted.has(kind) || !seat.prints.has(kind))
  const unsettled = () =>
    [...seats].some(([gatewayId, present]) => {
      if (plan(gatewayId) === undefined) return false
      return [...present].some((seat) => LISTED.some((kind) => needsLook(seat, kind)))
    })

  /** Those who see the same are looked after together: there may be thousands of them. */
  async function lookAt(now: GatewayPlan, kind: ListedKind, present: readonly Seat[]): Promise<void> {
    const groups = new Map<string, Seat[]>()
    for (const seat of present) {
      if (!needsLook(seat, kind)) continue
      const view = viewOf(now, seat.listener.access)
      const group = groups.get(view)
      if (group === undefined) groups.set(view, [seat])
      else group.push(seat)
    }
    await Promise.all([...groups.values()].map((group) => compare(now, kind, group)))
  }

  async function compare(now: GatewayPlan, kind: ListedKind, group: readonly Seat[]): Promise<void> {
    const doubting = new Set(group.filter((seat) => seat.doubted.delete(kind)))
    const access = (group[0] as Seat).listener.access
    const deadline = Date.now() + limits().list
    await Promise.all(LISTS_OF[kind].map((list) => catalog.list(now, list, access, deadline)))
    // What cannot be known in time is another thing than whatever comes.
    const print = printOf(now, kind, access) ?? 'unknown'
    for (const seat of group) {
      const isOther = seat.prints.get(kind) !== print
      if (seat.hears(kind)) seat.prints.set(kind, print)
      if (isOther && doubting.has(seat)) seat.tell(kind)
    }
  }

  const printOf = (now: GatewayPlan, kind: ListedKind, access: Access): string | null => {
    const prints = LISTS_OF[kind].map((list) => catalog.fingerprint(now, list, access))
    return prints.includes(null) ? null : prints.join('\n')
  }

  /** What it has seen until now is what is in memory. */
  function hears(seat: Seat): void {
    const now = plan(seat.listener.gatewayId)
    for (const kind of LISTED) {
      if (now === undefined || !seat.hears(kind) || seat.prints.has(kind)) continue
      const print = printOf(now, kind, seat.listener.access)
      if (print !== null) seat.prints.set(kind, print)
    }
    lookSoon()
  }

  return {
    enter(listener) {
      const present = seats.get(listener.gatewayId) ?? new Set()
      const left = () => {
        present.delete(seat)
        if (present.size === 0 && seats.get(listener.gatewayId) === present) seats.delete(listener.gatewayId)
      }
      const seat: Seat = new Seat(listener, options, { hears: () => hears(seat), left })
      seats.set(listener.gatewayId, present.add(seat))
      return seat
    },
    drop: subscriptions.drop,
    swapped() {
      for (const [gatewayId, present] of seats) {
        const now = plan(gatewayId)
        for (const seat of present) {
          seat.settle()
          for (const kind of LISTED)
            if (
              now !== undefined &&
              seat.hears(kind) &&
              seat.prints.get(kind) !== printOf(now, kind, seat.listener.access)
            )
              seat.doubted.add(kind)
        }
      }
      lookSoon()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
      end()
      for (const present of [...seats.values()]) for (const seat of [...present]) seat.leave()
    },
  }
}

/** As whom each server is seen. */
function viewOf(plan: GatewayPlan, access: Access): string {
  return plan.assignments
    .map((assignment) => {
      const target = access.target(assignment)
      return 'state' in target ? `${target.state} ${target.lastSeenAs ?? ''}` : slotKey(target)
    })
    .join('\n')
}
