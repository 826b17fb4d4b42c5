import type { PluginLog } from '@gatehouse/sdk'
import { nameOfArtifact, versionKey } from '../domain/rule-watch.js'
import type { RuleStatRepository, Tally } from '../domain/rule-watch.js'
import { createTallies, mergeTallies } from '../rules/tallies.js'
import type { Taken, Tallies } from '../rules/tallies.js'
import { versionOf } from './quarantines.js'

/** What rules did here, on its way to the database. */
export interface RuleStats {
  readonly tallies: Tallies
  /** Writes down what was counted; on failure it is kept for the next time. */
  flush(): Promise<void>
  stop(): Promise<void>
}

export interface RuleStatsOptions {
  readonly store: Pick<RuleStatRepository, 'add'>
  readonly log: Pick<PluginLog, 'warn'>
  readonly everyMs?: number
}

type Sum = Parameters<RuleStatRepository['add']>[0][number]

const EVERY_MS = 10_000

export function createRuleStats({ store, log, everyMs = EVERY_MS }: RuleStatsOptions): RuleStats {
  const tallies = createTallies()
  let unwritten: readonly Sum[] = []
  let running: Promise<void> = Promise.resolve()
  const write = async (): Promise<void> => {
    const sums = sumUp(unwritten, tallies.take())
    try {
      await store.add(sums)
      unwritten = []
    } catch (thrown) {
      unwritten = sums
      log.warn({ error: String(thrown) }, 'the statistics of rules could not be written down yet')
    }
  }
  const flush = () => (running = running.then(write))
  const timer = setInterval(() => void flush(), everyMs)
  timer.unref()
  return {
    tallies,
    flush,
    stop: () => {
      clearInterval(timer)
      return flush()
    },
  }
}

/** One for each version: a statement takes no row twice. */
function sumUp(before: readonly Sum[], taken: readonly Taken[]): readonly Sum[] {
  const sums = new Map(before.map((one) => [versionKey(one), one]))
  for (const { compiled, tally } of taken) {
    const version = versionOf(compiled)
    const key = versionKey(version)
    const known: Tally | undefined = sums.get(key)
    const artifact = nameOfArtifact(compiled.artifact)
    const sum = known === undefined ? tally : mergeTallies(known, tally)
    sums.set(key, { ...sum, ...version, artifact, gatewayId: compiled.rule.gatewayId })
  }
  return [...sums.values()]
}
