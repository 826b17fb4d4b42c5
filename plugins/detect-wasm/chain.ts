import type { Ran } from '@gatehouse/rule-sandbox'
import { TaskFailure } from '@gatehouse/sdk/workers'
import type { Place } from '@gatehouse/sdk/workers'
import type { Link, Shown } from './protocol.js'
import { readAnswer, sendTask } from './protocol.js'
import type { Risk } from './risks.js'
import type { Prepared, RulePool } from './shelf.js'

/** A rule and how it is asked. */
export interface Asked {
  readonly rule: Prepared
  readonly link: Link
}

/** What came of a rule: a run; or none, by its own fault or not. */
export type Came =
  | { readonly kind: 'ran'; readonly ran: Ran }
  | { readonly kind: 'ended'; readonly message: string }
  | { readonly kind: 'unable'; readonly message: string; readonly isMissing?: boolean }

/** Time for a thread that has a task and has not begun with its first rule, or is done: it waits for the machine. */
const IDLE_MS = 2_000

/** How much longer than a rule that is ended from within its thread may take. */
const WITHIN_MS = 20

/** Where chains are run, and what is known of rules that cost threads. */
export interface Threads {
  readonly pool: RulePool
  readonly risks: Risk
}

/**
 * Has a chain run in one of the threads. A thread is ended when one of the rules stays longer than it may: that rule has come to its
 * end, those before it are run again, and those behind it are left. Answers one at least, and all when no thread is free.
 */
export async function runLinks(
  { pool, risks }: Threads,
  asked: readonly Asked[],
  shown: Shown,
): Promise<readonly Came[]> {
  const links = asked.map((one) => (isEndedWithin(one, risks) ? { ...one.link, mostMs: limitOf(one) } : one.link))
  const task = sendTask({ links, shown })
  const timeOf = (step: number) => limitOf(asked[step]) + (links[step]?.mostMs === undefined ? 0 : WITHIN_MS)
  const left = ({ step, ms }: Place) => (step === null ? IDLE_MS : timeOf(step)) - ms
  const lookMs = Math.min(...asked.map(limitOf))
  const isRisky = () => asked.some(({ rule }) => risks.holds(rule))
  try {
    const answers = readAnswer(await pool.run(task, { left, lookMs, isRisky }))
    if (answers.length === 0) return [unable('no answer')]
    return answers.map((ran, at) => {
      const one = asked[at]
      if (ran?.failure?.kind !== 'late' || one === undefined) return ran === null ? MISSING : { kind: 'ran', ran }
      risks.note(one.rule)
      return { kind: 'ended', message: overLimit(one) }
    })
  } catch (thrown) {
    if (!(thrown instanceof TaskFailure)) throw thrown
    // Those behind would wait as long for nothing, one after the other.
    if (thrown.kind === 'busy' || thrown.kind === 'stopped') return asked.map(() => unable(thrown.message))
    const culprit = asked[thrown.step ?? -1]
    if (culprit === undefined || thrown.step === null) return [unable(thrown.message)]
    risks.note(culprit.rule)
    const before = thrown.step === 0 ? [] : await runLinks({ pool, risks }, asked.slice(0, thrown.step), shown)
    return before.length < thrown.step ? before : [...before, endedBy(thrown, culprit)]
  }
}

/**
 * What has cost a thread lately is ended within it, and costs none again. Whoever looks for patterns or is no WebAssembly is at work in code that
 * all rules of the thread share, which must not be left in the middle.
 */
function isEndedWithin({ rule }: Asked, risks: Risk): boolean {
  if (!risks.holds(rule)) return false
  const { language, manifest } = rule.build.module
  return language === 'wasm' && !manifest.capabilities.includes('regex')
}

const limitOf = (asked: Asked | undefined): number => asked?.rule.build.module.limits.killMs ?? 0

const overLimit = (asked: Asked): string => `was ended: it took longer than ${limitOf(asked)} ms`

const MISSING: Came = { kind: 'unable', message: 'the rule is not loaded', isMissing: true }
const unable = (message: string): Came => ({ kind: 'unable', message })

const endedBy = ({ kind, message }: TaskFailure, asked: Asked): Came =>
  kind === 'late'
    ? { kind: 'ended', message: overLimit(asked) }
    : { kind: 'ended', message: `ended its thread: ${message}`.slice(0, 200) }
