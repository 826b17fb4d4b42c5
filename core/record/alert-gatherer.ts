import type { Alert, PluginLog } from '@gatehouse/sdk'
import type { Raised, RaisedRow } from '../domain/alerts.js'
import { asGatehouseError } from '../errors.js'

export interface AlertGathererOptions {
  /** Stores alerts of which no two have the same type and key. */
  readonly store: (raised: readonly Raised[]) => Promise<readonly RaisedRow[]>
  /** Told of what was stored; what it throws is logged. */
  readonly onStored: (stored: readonly { readonly raised: Raised; readonly row: RaisedRow }[]) => void
  readonly log: Pick<PluginLog, 'error' | 'warn'>
  /** Milliseconds between two statements, and before one that failed is tried again. */
  readonly pauseMs?: number
  readonly mostKeys?: number
  readonly mostBytes?: number
}

/** Rules may act on every call: what they raise must cost a call nothing, and the database little. */
export interface AlertGatherer {
  /** Resolves when it is stored, or was given up; never rejects. */
  raise(alert: Alert, holder?: string): Promise<void>
  /** When all that was raised of this key is stored or given up. */
  settled(type: Alert['type'], key: string): Promise<void>
  /** Stores what waits; afterwards nothing is raised any more. */
  stop(): Promise<void>
}

interface Waiting {
  raised: Raised
  /** Of its context. */
  bytes: number
  readonly done: Promise<void>
  readonly finish: () => void
}

const PAUSE_MS = 1_000
const AT_ONCE = 500
/** Alerts that differ this much are a fault of whoever raises them. */
const MOST_KEYS = 10_000
/** What waits while the database is away must not fill the memory: past this, alerts are kept without their contexts. */
const MOST_BYTES = 32 * 1024 * 1024

const LEFT_OUT = Object.freeze({ leftOut: 'too much was raised at once' })

/**
 * The first alert is stored at once; what comes within a second after it is gathered by type and key and stored together,
 * with how often each was raised. While the database is away everything waits.
 */
export function createAlertGatherer(options: AlertGathererOptions): AlertGatherer {
  const { store, onStored, log, pauseMs = PAUSE_MS, mostKeys = MOST_KEYS, mostBytes = MOST_BYTES } = options
  const waiting = new Map<string, Waiting>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let lastAt = -Infinity
  let lost = 0
  let held = 0
  let isStopped = false

  const give = async (batch: readonly [string, Waiting][]): Promise<void> => {
    const raised = batch.map(([, one]) => one.raised)
    const rows = await store(raised)
    for (const [, { finish }] of batch) finish()
    const byName = new Map(rows.map((row) => [nameOf(row), row]))
    const stored = batch.flatMap(([name, { raised: one }]) => {
      const row = byName.get(name)
      return row === undefined ? [] : [{ raised: one, row }]
    })
    try {
      onStored(stored)
    } catch (thrown) {
      log.error({ error: String(thrown) }, 'an alert was stored, and nobody could be told')
    }
  }
  /** One that cannot be stored must not take others with it. */
  const giveOneByOne = async (batch: readonly [string, Waiting][], thrown: unknown): Promise<void> => {
    if (batch.length > 1) return void (await eachInTurn(batch, (one) => attempt([one])))
    log.error({ type: batch[0]?.[1].raised.alert.type, error: String(thrown) }, 'an alert could not be stored')
    for (const [, { finish }] of batch) finish()
  }
  const keepFor = (later: readonly [string, Waiting][]): void => {
    for (const [name, old] of later) {
      const newer = waiting.get(name)
      if (newer === undefined) {
        waiting.set(name, old)
        held += old.bytes
      } else {
        newer.raised = { ...newer.raised, times: newer.raised.times + old.raised.times }
        void newer.done.then(old.finish)
      }
    }
  }
  const attempt = async (batch: readonly [string, Waiting][]): Promise<void> => {
    try {
      await give(batch)
    } catch (thrown) {
      if (asGatehouseError(thrown).code !== 'GH_DB_UNAVAILABLE') return giveOneByOne(batch, thrown)
      if (!isStopped) return keepFor(batch)
      log.error({ alerts: batch.length }, 'alerts could not be stored before the end')
      for (const [, { finish }] of batch) finish()
    }
  }
  const flush = async (): Promise<void> => {
    const all = [...waiting]
    waiting.clear()
    held = 0
    if (lost > 0) log.error({ lost }, 'too many different alerts at once: some were not stored')
    lost = 0
    for (let from = 0; from < all.length; from += AT_ONCE) await attempt(all.slice(from, from + AT_ONCE))
    lastAt = performance.now()
  }
  const plan = (): void => {
    if (timer !== undefined || running !== undefined || waiting.size === 0 || isStopped) return
    timer = setTimeout(
      () => {
        timer = undefined
        running = flush().finally(() => {
          running = undefined
          plan()
        })
      },
      Math.max(0, lastAt + pauseMs - performance.now()),
    )
  }

  return {
    raise(alert, holder) {
      const name = nameOf(alert)
      const known = waiting.get(name)
      if (known === undefined && (isStopped || waiting.size >= mostKeys)) {
        lost += 1
        return Promise.resolve()
      }
      const entry = known ?? newEntry({ alert, times: 0, holder })
      const bytes = alert.context === undefined ? 0 : JSON.stringify(alert.context).length
      const fits = held - entry.bytes + bytes <= mostBytes
      held += (fits ? bytes : 0) - entry.bytes
      entry.bytes = fits ? bytes : 0
      const kept = fits ? alert : { ...alert, context: LEFT_OUT }
      entry.raised = { alert: kept, times: entry.raised.times + 1, holder: holder ?? entry.raised.holder }
      waiting.set(name, entry)
      plan()
      return entry.done
    },
    async settled(type, key) {
      await waiting.get(nameOf({ type, key }))?.done
      await running
    },
    async stop() {
      clearTimeout(timer)
      isStopped = true
      await running
      await flush()
    },
  }
}

const nameOf = ({ type, key }: Pick<Alert, 'type' | 'key'>): string => `${type} ${key}`

function newEntry(raised: Raised): Waiting {
  const { promise: done, resolve: finish } = withResolvers()
  return { raised, bytes: 0, done, finish }
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

async function eachInTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await work(item)
}
