import type { JsonObject } from '@gatehouse/sdk'
import { isObject } from './message.js'
import type { ListKind, Timing } from './options.js'
import { settlesWithin } from './settles-within.js'

/** What a stream says of itself to the listen that opened it. */
export interface ListenEvents {
  /** The server tells from now on, of these resources among others. */
  acknowledged(granted: ReadonlySet<string>): void
  /** It cannot be had, or was lost; `returns`: it is opened again by itself. */
  lost(returns: boolean): void
}

export interface ListenOptions {
  /** The lists whose changes the server announces: always listened to. */
  readonly lists: readonly ListKind[]
  readonly timing: Pick<Timing, 'acknowledge' | 'shrink'>
  /** Opens a stream of this filter; gives back how to close it. */
  readonly open: (notifications: JsonObject, events: ListenEvents) => () => void
}

/** The one `subscriptions/listen` to a server of the modern era. */
export interface Listen {
  /** Fulfilled when the first stream is acknowledged, or not to be had. Never rejects. */
  readonly settled: Promise<void>
  /**
   * Has the server tell of these resources from now on and of no others; answers of which it will. It grows at once: the new
   * stream is acknowledged before the old one is closed. It shrinks after a while.
   */
  listen(uris: ReadonlySet<string>): Promise<ReadonlySet<string>>
  stop(): void
}

interface Stream {
  readonly uris: ReadonlySet<string>
  granted: ReadonlySet<string>
  isDead: boolean
  close: () => void
}

const NONE: ReadonlySet<string> = new Set()

export function createListen({ lists, timing, open }: ListenOptions): Listen {
  let wanted = NONE
  let current: Stream | null = null
  let changing: Promise<void> | null = null
  let shrinking: NodeJS.Timeout | undefined
  let stopped = false

  async function openOne(uris: ReadonlySet<string>): Promise<Stream> {
    const stream: Stream = { uris, granted: NONE, isDead: false, close: () => undefined }
    const notifications = {
      ...Object.fromEntries(lists.map((list) => [`${list}ListChanged`, true])),
      ...(uris.size > 0 ? { resourceSubscriptions: [...uris] } : {}),
    }
    const answered = new Promise<void>((resolve) => {
      stream.close = open(notifications, {
        acknowledged(granted) {
          stream.granted = granted
          resolve()
        },
        lost(returns) {
          stream.isDead = !returns
          resolve()
        },
      })
    })
    // One that never says so tells of everything, as far as anybody knows.
    if (!(await settlesWithin(answered, timing.acknowledge))) stream.granted = uris
    return stream
  }

  const covers = (stream: Stream | null) =>
    stream !== null && !stream.isDead && [...wanted].every((uri) => stream.uris.has(uri))

  /** False when it was refused: what there was goes on telling what it told. */
  async function replace(): Promise<boolean> {
    const next = await openOne(wanted)
    const isWorse = next.isDead && current !== null && !current.isDead
    if (stopped || isWorse) next.close()
    else {
      current?.close()
      current = next
    }
    return !stopped && !next.isDead
  }

  async function grow(): Promise<void> {
    while (!stopped && !covers(current)) if (!(await replace())) return
  }

  function shrinkLater(): void {
    clearTimeout(shrinking)
    if (current === null || current.uris.size === wanted.size) return
    shrinking = setTimeout(() => {
      if (wanted.size > 0 || lists.length > 0) return void alone(() => replace().then(grow))
      current?.close()
      current = null
    }, timing.shrink).unref()
  }

  const alone = (work: () => Promise<void>) => (changing ??= work().finally(() => (changing = null)))
  const settle = () => alone(grow)

  const settled = lists.length === 0 ? Promise.resolve() : settle()
  return {
    settled,
    async listen(uris) {
      wanted = uris
      if (wanted.size > 0 || lists.length > 0) await settle()
      shrinkLater()
      return new Set([...wanted].filter((uri) => current?.granted.has(uri)))
    },
    stop() {
      stopped = true
      clearTimeout(shrinking)
      current?.close()
    },
  }
}

/** The resources of which the server says that it will tell; null for every other message. */
export function acknowledgedUris({ method, params }: JsonObject): ReadonlySet<string> | null {
  if (method !== 'notifications/subscriptions/acknowledged') return null
  const granted = isObject(params) && isObject(params['notifications']) ? params['notifications'] : {}
  const uris = granted['resourceSubscriptions']
  return new Set(Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [])
}
