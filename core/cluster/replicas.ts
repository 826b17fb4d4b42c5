import { setTimeout as pause } from 'node:timers/promises'
import type { PluginLog } from '@gatehouse/sdk'
import type { ReplicaRow, ReplicaRows } from '../db/repositories/replicas.js'
import { within } from '../db/repositories/within.js'
import { asking } from './asking.js'
import type { Publishing } from './publishing.js'

/**
 * The gateways on one database. Each writes a beat every 5 s and reads who else does; one that is silent for 15 s counts as
 * dead, and one that stops says so.
 *
 * A replica that is alone may believe what it remembers of the tables: nobody else changes them. It knows that it is alone
 * for 7.5 s after it asked, and asks every 5 s. So a newcomer takes up no work before every other one reckons with it, or
 * has been without an answer for so long that it does not believe itself alone (`present`).
 */
export interface Replicas {
  readonly id: string
  /** Whether this is known to be the only one. */
  alone(): boolean
  /**
   * Until when (`performance.now`) a row that was read at `readAt` is known to be as it was, save for changes of our own:
   * until it was read, or as long as this one is alone since.
   */
  unchangedUntil(readAt: number): number
  /** Where another one is reached: null when it did not say; 'dead' when there is none of this id. */
  urlOf(id: string): string | null | 'dead'
  /**
   * To be awaited before work that others must hear of. At once, but at the start and after a silence for which they may
   * take this one for dead: then when they reckon with it. Throws GH_DB_UNAVAILABLE.
   */
  present(): Promise<void>
  stop(): Promise<void>
}

export interface ReplicasOptions {
  readonly rows: ReplicaRows
  /** Four of a-z and 0-9. */
  readonly newId: () => string
  readonly publishing: Pick<Publishing, 'on' | 'onGap'>
  /** Where the others reach this one. */
  readonly url: string | null
  readonly log: Pick<PluginLog, 'info' | 'warn'>
  readonly beatMs?: number
  readonly answerMs?: number
  /** Milliseconds that never go back. */
  readonly clock?: () => number
}

const BEAT_MS = 5_000
const ANSWER_MS = 2_000

/** Registers this process; it beats from now on. */
export async function openReplicas(options: ReplicasOptions): Promise<Replicas> {
  const { rows, publishing, url, log, beatMs = BEAT_MS, answerMs = ANSWER_MS } = options
  const { clock = () => performance.now() } = options
  const [believedMs, deadMs] = [beatMs * 1.5, beatMs * 3]
  const id = await register(options)
  const span = new AloneSpan(believedMs)
  let others: readonly ReplicaRow[] = []
  let beats = 0
  let beatAt = -Infinity

  const hear = (living: readonly ReplicaRow[]): void => {
    const [before, now] = [others, living].map((some) => new Set(some.map((other) => other.id)))
    for (const { id: other, url: at } of living)
      if (!before?.has(other)) log.info({ replica: other, at }, 'another replica is there')
    for (const { id: other } of others) if (!now?.has(other)) log.info({ replica: other }, 'another replica is gone')
    others = living
  }

  /** Until the others have been told of whom this one reckons with now. */
  const beat = async (): Promise<void> => {
    for (;;) {
      const askedAt = clock()
      const knows = idsOf(others)
      const all = await within(answerMs, rows.beat({ id, url, knows, number: (beats += 1) }))
      beatAt = askedAt
      const living = all.filter(({ silentMs }) => silentMs <= deadMs)
      if (living.length > 0) span.end(clock())
      // Others must not take us for one that reckons with them when we do no more.
      else if (knows.length === 0) span.confirm(askedAt, clock())
      hear(living)
      if (knows.join() === idsOf(living).join()) return
    }
  }
  const look = asking(beat)
  let isFailing = false
  const lookNow = () =>
    void look().then(
      () => (isFailing = false),
      (thrown: unknown) => {
        if (!isFailing) log.warn({ error: String(thrown) }, 'the other replicas hear nothing of this one at present')
        isFailing = true
      },
    )

  let isIntroduced = false
  const introduce = async (): Promise<void> => {
    const last = clock() + believedMs + answerMs
    for (;;) {
      await look()
      if (others.every(({ knows }) => knows.includes(id)) || clock() > last) break
      await pause(beatMs / 50)
    }
    isIntroduced = true
  }
  let introducing: Promise<void> | undefined

  await look()
  const timer = setInterval(() => look.busy() || lookNow(), beatMs)
  timer.unref()
  const deaf = [publishing.on('replicas', (which) => which !== id && lookNow()), publishing.onGap(lookNow)]

  return {
    id,
    alone: () => span.until > clock(),
    unchangedUntil: (readAt) => (readAt >= span.since ? Math.max(readAt, span.until) : readAt),
    urlOf: (wanted) => {
      const found = others.find((other) => other.id === wanted)
      return found === undefined ? 'dead' : found.url
    },
    // A beat less than the others wait for, so that what begins now is done in time.
    present: async () => {
      if (isIntroduced && clock() - beatAt <= deadMs - beatMs) return
      await (introducing ??= introduce().finally(() => (introducing = undefined)))
    },
    async stop() {
      clearInterval(timer)
      for (const off of deaf) off()
      await rows.remove(id)
    },
  }
}

const idsOf = (some: readonly ReplicaRow[]) => some.map(({ id }) => id).toSorted()

async function register({ rows, url, newId }: ReplicasOptions): Promise<string> {
  for (;;) {
    const id = newId()
    if (await rows.register(id, url)) return id
  }
}

/** The last time of being alone, without a gap in which somebody could have come and gone. */
class AloneSpan {
  since = Infinity
  until = -Infinity

  constructor(private readonly believedMs: number) {}

  confirm(askedAt: number, now: number): void {
    if (now > this.until) this.since = now
    this.until = askedAt + this.believedMs
  }

  end(now: number): void {
    this.until = Math.min(this.until, now)
  }
}
