import type { ChainLink, Evaluation, JsonObject } from '@gatehouse/sdk'
import { undecided } from '@gatehouse/sdk'
import type { CompiledRule } from '../domain/snapshot.js'
import { judged, trialOf } from './judge.js'
import type { Ended, Text } from './judge.js'
import { ask, failure, isPromise } from './passes.js'
import type { Asked } from './passes.js'

/** Rules that follow each other and are of one engine that is asked for them together. */
export interface Row {
  readonly rules: readonly CompiledRule[]
  readonly at: number
  /** Never rejects. */
  readonly answer: Evaluation | Promise<Evaluation>
}

/** The message on its way through the rules. */
export interface Course {
  readonly asked: Asked
  /** As the rules so far left it. */
  readonly text: () => Text
  /** Writes down what a rule came to; false when the message ends there. */
  readonly conclude: (ended: Ended) => boolean
}

/** Asks once for all of them. */
export function askRow({ asked, text }: Course, rules: readonly CompiledRule[]): Row {
  const [compiled] = rules
  if (compiled === undefined) throw new TypeError('a row without a rule')
  const at = performance.now()
  const answer = ask(asked, { compiled, text: text(), pass: 0 }, rules.map(linkOf))
  return { rules, at, answer: isPromise(answer) ? answer.catch(failure) : answer }
}

const linkOf = ({ rule, state }: CompiledRule): ChainLink => ({
  state,
  rule: { id: rule.id, version: rule.version },
  action: rule.action,
  shadow: rule.shadow,
})

/**
 * Judges what was answered, in order, and asks anew for those behind an answer after which the message is not what the engine
 * went on with. Every round settles one rule at least. Nothing to wait for when the engine answers at once; never rejects.
 */
export function settleRow(course: Course, row: Row): Promise<void> | undefined {
  for (let each = row; ;) {
    if (isPromise(each.answer)) return waitFor(course, each, each.answer)
    const left = judgeRow(course, each, each.answer)
    if (left.length === 0) return undefined
    each = askRow(course, left)
  }
}

async function waitFor(course: Course, row: Row, answer: Promise<Evaluation>): Promise<void> {
  await settleRow(course, { ...row, answer: await answer })
}

const NONE: readonly CompiledRule[] = Object.freeze([])

/** Those that were not settled. */
function judgeRow(course: Course, { rules, at }: Row, answer: Evaluation): readonly CompiledRule[] {
  const answers = answersOf(answer, rules.length)
  const ms = performance.now() - at
  for (const [index, given] of answers.entries()) {
    const before = course.text()
    const trial = trialOf(rules[index] as CompiledRule, before, at, partOf(ms, given, answers.length))
    // A rule of a chain has one pass.
    if (!course.conclude(judged(course.asked, trial, given) as Ended)) return NONE
    if (!isAsThought(trial.compiled, given, before.message, course.text().message)) return rules.slice(index + 1)
  }
  return rules.slice(answers.length)
}

function answersOf(answer: Evaluation, most: number): readonly Evaluation[] {
  const rest = answer?.rest ?? []
  if (!Array.isArray(rest) || rest.length >= most) return [undecided('answers for rules that were not asked for')]
  return [answer, ...rest]
}

/** What the engine says that it took, or an equal part. */
function partOf(ms: number, given: Evaluation | undefined, parts: number): number {
  const said = given?.ms
  return typeof said === 'number' && said >= 0 ? Math.min(said, ms) : ms / parts
}

/** Whether the engine went on with the message that stands: with its own `modify`, else with what it was. */
function isAsThought({ rule }: CompiledRule, given: Evaluation, before: JsonObject, after: JsonObject): boolean {
  if (given?.verdict !== 'modify' || rule.shadow || rule.action === 'detect') return after === before
  return after !== before && isSame(given.patch.message as JsonObject, after)
}

/** To the order of its keys: rules may see that. What core took over is the very same; what it left is compared by its text. */
function isSame(wanted: JsonObject, after: JsonObject): boolean {
  if (wanted === after) return true
  const [some, others] = [Object.keys(wanted), Object.keys(after)]
  if (some.length !== others.length || some.some((key, index) => key !== others[index])) return false
  return some.every((key) => wanted[key] === after[key] || JSON.stringify(wanted[key]) === JSON.stringify(after[key]))
}
