import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'

/**
 * The number of the configuration, kept in the database and raised with every change of configuration, people or tokens.
 * What was read while the number was n holds for as long as it is n.
 */
export interface Epochs {
  /** The number as last heard; 0 before the first answer of the database. */
  current(): number
  /** Whether the database has confirmed `current` within this time. */
  freshWithin(ms: number): boolean
  /** Asks the database, after everything that was committed before this call. Throws GH_DB_UNAVAILABLE. */
  check(): Promise<number>
  /** Raises the number, for a change that is committed already. It holds here as soon as this resolves. */
  bump(): Promise<number>
  /** Told of every change of the number; answers how to stop listening. */
  onChange(listener: (epoch: number) => void): () => void
  stop(): void
}

export interface EpochsOptions {
  readonly store: Pick<Store, 'epoch' | 'bumpEpoch'>
  readonly intervalMs?: number
  /** A database that gives no answer in this time counts as away. */
  readonly answerMs?: number
  /** Milliseconds that never go back. */
  readonly clock?: () => number
}

export function createEpochs(options: EpochsOptions): Epochs {
  const { store, intervalMs = 250, answerMs = 2_000, clock = () => performance.now() } = options
  const listeners = new Set<(epoch: number) => void>()
  let epoch = 0
  let changes = 0
  let confirmedAt = -Infinity
  let running: Promise<number> | undefined
  let next: Promise<number> | undefined

  const adopt = (heard: number): void => {
    if (heard === epoch) return
    epoch = heard
    changes += 1
    for (const listener of listeners) listener(heard)
  }

  /** Fresh from the moment of asking. An answer that a bump has overtaken is old; else a lower number is a restored backup. */
  const ask = async (): Promise<number> => {
    const [askedAt, seen] = [clock(), changes]
    const heard = await within(answerMs, store.epoch())
    confirmedAt = askedAt
    if (heard > epoch || changes === seen) adopt(heard)
    return epoch
  }

  /** A question that is under way may have been read before the caller's change: such a caller waits for the next one. */
  const check = (): Promise<number> => {
    if (running === undefined) return (running = ask().finally(() => (running = undefined)))
    return (next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return check()
      }))
  }

  const timer = setInterval(() => {
    // A failure shows in `freshWithin`, and in the answers to those who must know.
    if (running === undefined) check().catch(() => undefined)
  }, intervalMs)
  timer.unref()

  return {
    current: () => epoch,
    freshWithin: (ms) => clock() - confirmedAt <= ms,
    check,
    bump: async () => {
      const raised = await store.bumpEpoch()
      if (raised > epoch) adopt(raised)
      return raised
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stop: () => {
      clearInterval(timer)
      listeners.clear()
    },
  }
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new GatehouseError('GH_DB_UNAVAILABLE', { detail: `no answer in ${ms} ms` })), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
    answer.catch(() => undefined)
  }
}
