import { within } from '../db/repositories/within.js'
import type { Store } from '../domain/store.js'
import { asking } from './asking.js'
import type { Publishing } from './publishing.js'

/** A replica that has heard of the epoch within this time believes what it holds; else it asks the database first. */
export const FRESH_MS = 750

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
  /** Tells of a change at another replica as soon as it is made; without it, and whenever it fails, the interval does. */
  readonly publishing?: Pick<Publishing, 'on' | 'onGap'>
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

  const check = asking(ask)

  const timer = setInterval(() => {
    // A failure shows in `freshWithin`, and in the answers to those who must know.
    if (!check.busy()) check().catch(() => undefined)
  }, intervalMs)
  timer.unref()
  const again = () => void check().catch(() => undefined)
  const deaf = [
    options.publishing?.on('epoch', (raised) => {
      if (Number(raised) !== epoch) again()
    }),
    options.publishing?.onGap(again),
  ]

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
      for (const off of deaf) off?.()
      listeners.clear()
    },
  }
}
