import type { Alert } from '@gatehouse/sdk'
import { clip } from '../domain/clip.js'
import type { Server } from '../domain/nouns.js'
import type { GatehouseError } from '../errors.js'
import { PUBLIC } from '../upstream/credentials.js'
import type { Trouble } from '../upstream/watch.js'
import type { Alerting } from '../domain/alerts.js'
import { type House, PARTS } from './house.js'

/** A server that falls again so soon had not recovered: its alert stands, and counts. */
const CALM = 5_000
/** What nobody can tell to be over is told again after so long; so many different faults of a server are told apart. */
const AGAIN = 3_600_000
const MOST_REASONS = 16
const LONGEST_REASON = 200
/** Servers say why in words of their own. */
const LONGEST_MESSAGE = 500

export interface TroublesOptions extends Pick<Alerting, 'raise' | 'resolve'> {
  /** Alerts that stand though every replica that held them is dead. */
  readonly forsaken: () => Promise<readonly Pick<Alert, 'type' | 'key'>[]>
  /** What a credential that several people share is called; null for one of a person, which is that person's to mend. */
  readonly sharedName: (key: string) => string | null
  readonly now?: () => number
  readonly calm?: number
}

export interface Troubles {
  tell(trouble: Trouble): void
  /** Resolves what only the dead still hold, where this replica has found that it is over. */
  recheck(): Promise<void>
  stop(): void
}

/** Makes alerts of what befalls servers, and resolves those whose end shows. */
export function createTroubles(options: TroublesOptions): Troubles {
  const { sharedName, calm = CALM } = options
  const inOrder = createOrder()
  const raise = (alert: Alert) => inOrder(`${alert.type} ${alert.key}`, () => options.raise(alert))
  const resolve = (type: Alert['type'], key: string) => inOrder(`${type} ${key}`, () => options.resolve(type, key))
  const over = createAfter(calm, resolve)
  const isNews = createNews(options.now ?? Date.now)

  function refused({ server, key, whole, fault }: Trouble & { kind: 'refused' }): void {
    const credential = sharedName(key)
    if (credential === null) return
    const alertKey = keyOf(server.id, key)
    if (whole) over.not('server_auth_failed', alertKey)
    else if (!isNews(server.id, `forbidden ${key}`)) return
    const about = { ...alertOf(server, fault, { credential }), severity: 'error' } as const
    raise({ ...about, type: 'server_auth_failed', key: whole ? alertKey : `${alertKey}/forbidden` })
  }

  return {
    tell(trouble) {
      switch (trouble.kind) {
        case 'down': {
          const { server, fault } = trouble
          over.not('server_unreachable', server.id)
          return raise({ ...alertOf(server, fault), type: 'server_unreachable', severity: 'error', key: server.id })
        }
        case 'up':
          return over.soon('server_unreachable', trouble.server.id)
        case 'gone':
          return over.soon('server_unreachable', trouble.serverId)
        case 'refused':
          return refused(trouble)
        case 'accepted':
          if (sharedName(trouble.key) !== null) over.soon('server_auth_failed', keyOf(trouble.server.id, trouble.key))
          return
        case 'misbehaved': {
          const { server, fault } = trouble
          const reason = clip(fault.message, LONGEST_REASON)
          if (!isNews(server.id, reason)) return
          const key = keyOf(server.id, reason)
          return raise({ ...alertOf(server, fault), type: 'server_misbehaved', severity: 'warning', key })
        }
      }
    },
    async recheck() {
      for (const { type, key } of await options.forsaken()) if (over.isKnown(type, key)) resolve(type, key)
    },
    stop: over.stop,
  }
}

/** By its key: the server's own credential, or an identity that is lent to many. */
export function createSharedNames(house: House): (key: string) => string | null {
  return (key) => {
    if (key === PUBLIC) return 'of the server'
    const identity = house.get(PARTS.snapshots).current().identities.get(key)
    return identity?.shared ? identity.slug : null
  }
}

const keyOf = (serverId: string, what: string) => `${serverId}/${what}`

function alertOf(server: Server, fault: GatehouseError, more: NonNullable<Alert['context']> = {}) {
  const message = clip(fault.message, LONGEST_MESSAGE)
  return { message, serverId: server.id, context: { server: server.slug, error: fault.code, ...more } }
}

/** What is said of one alert is done in the order in which it was said, however long the database takes. */
function createOrder(): (name: string, work: () => Promise<void>) => void {
  const last = new Map<string, Promise<void>>()
  return (name, work) => {
    const done: Promise<void> = (last.get(name) ?? Promise.resolve()).then(work).then(() => {
      if (last.get(name) === done) last.delete(name)
    })
    last.set(name, done)
  }
}

/** Resolves after a while, unless it is told meanwhile that it is not over. */
function createAfter(ms: number, resolve: (type: Alert['type'], key: string) => void) {
  const timers = new Map<string, NodeJS.Timeout>()
  /** What was found to be over, and nothing else since. */
  const known = new Set<string>()
  const not = (type: Alert['type'], key: string): void => {
    const name = `${type} ${key}`
    clearTimeout(timers.get(name))
    timers.delete(name)
    known.delete(name)
  }
  return {
    not,
    isKnown: (type: Alert['type'], key: string) => known.has(`${type} ${key}`),
    soon(type: Alert['type'], key: string): void {
      not(type, key)
      const name = `${type} ${key}`
      const end = () => {
        timers.delete(name)
        known.add(name)
        resolve(type, key)
      }
      timers.set(name, setTimeout(end, ms).unref())
    },
    stop(): void {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}

/** Whether something was not told of late. A server that finds ever new words is not listened to for long. */
function createNews(now: () => number): (serverId: string, what: string) => boolean {
  const told = new Map<string, Map<string, number>>()
  return (serverId, what) => {
    const own = told.get(serverId) ?? new Map<string, number>()
    told.set(serverId, own)
    for (const [old, at] of own) if (now() - at >= AGAIN) own.delete(old)
    if (own.has(what) || own.size >= MOST_REASONS) return false
    own.set(what, now())
    return true
  }
}
