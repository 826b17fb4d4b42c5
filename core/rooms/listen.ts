import type { JsonObject } from '@gatehouse/sdk'
import type { InSession } from '../call.js'
import { GatehouseError } from '../errors.js'
import { LISTED, type ListedKind, type Listener, type Seat, type Update, type Watched } from '../listening/seat.js'
import { isObject } from '../mcp/message.js'
import { META } from '../mcp/versions.js'
import type { Access } from '../upstream/catalog-types.js'

export const LISTEN_METHOD = 'subscriptions/listen'

/** A stream that is about to be opened: what is said first, and what goes on from then on. */
export interface Listening {
  readonly acknowledged: JsonObject
  /** To be called once that has been sent. Fulfilled with the result when the gateway ends it, or the client has gone. */
  readonly tell: () => Promise<JsonObject>
  /** Instead of telling: nothing came of it. */
  readonly abandon: () => void
}

export interface Listen {
  open(call: InSession): Promise<Listening>
  /** Ends all streams in order, each with its result. */
  stop(): void
}

export interface ListenOptions {
  readonly enter: (listener: Listener) => Seat
  readonly accessOf: (call: InSession) => Access
  /** What the gateway offers to the caller; answers within a moment. */
  readonly capabilities: (call: InSession) => Promise<JsonObject>
  /** The update as the client may see it; null: it may not. */
  readonly pass: (update: Update, call: InSession) => Promise<JsonObject | null>
  readonly patienceMs?: number
}

interface Wanted {
  readonly lists: readonly ListedKind[]
  readonly uris: readonly string[]
}

/** By then a client is told what it will hear of, whatever servers are slow. */
const PATIENCE_MS = 500
const MOST_URIS = 1_000
const MOST_URI_BYTES = 64 * 1024

/** `subscriptions/listen`: one stream for changes of lists and updates of resources, for as long as the client keeps it open. */
export function createListen(options: ListenOptions): Listen {
  const { enter, accessOf, capabilities, pass, patienceMs = PATIENCE_MS } = options
  const ends = new Set<() => void>()

  function take(call: InSession, line: Line): Seat {
    return enter({
      gatewayId: call.plan.gateway.id,
      access: accessOf(call),
      listChanged: (kind) => line.listChanged(kind),
      updated: (update) => {
        // What cannot be looked at is not passed on.
        void pass(update, call).then(
          (params) => params !== null && line.updated(params),
          () => undefined,
        )
      },
    })
  }

  async function stay(call: InSession, line: Line, seat: Seat, granted: Granted): Promise<JsonObject> {
    try {
      line.open()
      const { lists, uris, attachment } = granted
      // What changed at a server before it could be heard is not known.
      if (!attachment.isDone) void attachment.done.then(() => lists.forEach((kind) => seat.tell(kind)))
      if (lists.length > 0 || uris.length > 0) await ended(call, ends)
    } finally {
      line.close()
      seat.leave()
    }
    return { resultType: 'complete', _meta: { [META.subscriptionId]: call.id } }
  }

  return {
    async open(call) {
      const line = new Line(call)
      const wanted = readFilter(call.params)
      const seat = take(call, line)
      try {
        const granted = await grant(seat, wanted, capabilities(call), Date.now() + patienceMs)
        return {
          acknowledged: line.acknowledgement(granted),
          tell: () => stay(call, line, seat, granted),
          abandon: () => seat.leave(),
        }
      } catch (thrown) {
        seat.leave()
        throw thrown
      }
    },
    stop() {
      for (const end of ends) end()
    },
  }
}

interface Granted extends Wanted {
  /** Whether every server that is seen can tell what it has to. */
  readonly attachment: { readonly done: Promise<void>; isDone: boolean }
}

/**
 * What will be told, as far as is known in time: lists that the gateway has, and resources whose server will tell of them, or
 * has not said yet that it will not, where the caller may read them.
 */
async function grant(seat: Seat, wanted: Wanted, offered: Promise<JsonObject>, by: number): Promise<Granted> {
  const outcomes = new Map<string, Watched>()
  const watching = wanted.uris.map((uri) => seat.watch(uri).then((outcome) => void outcomes.set(uri, outcome)))
  const done = seat.hear(wanted.lists)
  const attachment = { done, isDone: false }
  void done.then(() => (attachment.isDone = true))
  const capabilities = await offered
  await settlesBy(Promise.all([done, ...watching]), by)
  const lists = wanted.lists.filter((kind) => isObject(capabilities[kind]))
  if (lists.length < wanted.lists.length) void seat.hear(lists)
  const isGranted = (uri: string) =>
    (outcomes.get(uri) ?? (seat.isPermitted(uri) ? 'granted' : 'unknown')) === 'granted'
  for (const uri of wanted.uris) if (!isGranted(uri)) seat.unwatch(uri)
  return { lists, uris: wanted.uris.filter(isGranted), attachment }
}

function readFilter({ notifications }: JsonObject): Wanted {
  if (!isObject(notifications)) throw wrong('must be an object')
  const lists = LISTED.filter((kind) => {
    const wanted = notifications[`${kind}ListChanged`] ?? false
    if (typeof wanted !== 'boolean') throw wrong(`.${kind}ListChanged must be true or false`)
    return wanted
  })
  const uris = notifications.resourceSubscriptions ?? []
  if (!Array.isArray(uris) || !uris.every((uri): uri is string => typeof uri === 'string'))
    throw wrong('.resourceSubscriptions must be a list of URIs')
  const each = [...new Set(uris as readonly string[])]
  if (each.length > MOST_URIS || each.reduce((sum, uri) => sum + Buffer.byteLength(uri), 0) > MOST_URI_BYTES)
    throw wrong(`.resourceSubscriptions has at most ${MOST_URIS} URIs, of ${MOST_URI_BYTES} bytes together`)
  return { lists, uris: each }
}

const wrong = (what: string) =>
  new GatehouseError('GH_DOOR_PARAMS', { message: `params.notifications${what.startsWith('.') ? '' : ' '}${what}` })

/** The stream as its client hears it: nothing before the acknowledgement, and every note named after the request. */
class Line {
  readonly #early = new Map<string, JsonObject>()
  readonly #notify: (note: JsonObject) => void
  readonly #id: string | number
  #state: 'early' | 'open' | 'closed' = 'early'

  constructor({ era, id, notify }: InSession) {
    if (era !== 'modern' || id === null)
      throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD', { message: 'Method not found' })
    if (notify === null)
      throw new GatehouseError('GH_DOOR_ACCEPT', { message: 'This method is answered by an event stream alone' })
    this.#id = id
    this.#notify = notify
  }

  acknowledgement({ lists, uris }: Wanted): JsonObject {
    const notifications = {
      ...Object.fromEntries(lists.map((kind) => [`${kind}ListChanged`, true])),
      ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
    }
    return this.#tagged({ method: 'notifications/subscriptions/acknowledged', params: { notifications } })
  }

  listChanged(kind: ListedKind): void {
    this.#tell(kind, { method: `notifications/${kind}/list_changed`, params: {} })
  }

  updated(params: JsonObject): void {
    this.#tell(`uri ${String(params.uri)}`, { method: 'notifications/resources/updated', params })
  }

  open(): void {
    this.#state = 'open'
    for (const note of this.#early.values()) this.#notify(note)
    this.#early.clear()
  }

  close(): void {
    this.#state = 'closed'
  }

  #tell(about: string, note: Note): void {
    if (this.#state === 'open') this.#notify(this.#tagged(note))
    if (this.#state === 'early') this.#early.set(about, this.#tagged(note))
  }

  #tagged({ method, params }: Note): JsonObject {
    const meta = isObject(params._meta) ? params._meta : {}
    return { jsonrpc: '2.0', method, params: { ...params, _meta: { ...meta, [META.subscriptionId]: this.#id } } }
  }
}

interface Note {
  readonly method: string
  readonly params: JsonObject
}

/** Until the client goes away or the gateway ends it. */
async function ended({ gone }: InSession, ends: Set<() => void>): Promise<void> {
  if (gone.aborted) return
  let end = () => {}
  await new Promise<void>((resolve) => {
    end = resolve
    ends.add(end)
    gone.addEventListener('abort', end, { once: true })
  })
  ends.delete(end)
  gone.removeEventListener('abort', end)
}

async function settlesBy(work: Promise<unknown>, by: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.max(0, by - Date.now()))))
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
