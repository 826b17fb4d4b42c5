import type { CallContext, Evaluation, JsonObject, Leaf, Receipt } from '@gatehouse/sdk'
import { never, undecided } from '@gatehouse/sdk'
import type { CompiledRule } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'
import { checkAnswer, checkMessage } from './answers.js'
import type { Engines, Limits, Subject } from './engines.js'
import { changeLeaves } from './change.js'
import { walk } from './leaves.js'
import type { Leaves } from './leaves.js'
import { rewriterOf } from './rewriter.js'
import type { Leg } from './shape.js'

/** A message and its texts. */
export interface Text {
  readonly message: JsonObject
  readonly leaves: Leaves
}

/** What all rules of one leg share. */
export interface Asked {
  readonly engines: Engines
  readonly leg: Leg
  readonly subject: Subject
  readonly context: CallContext
  readonly limits: Limits
  /** Of a verdict that is run again: what its engine looked at then besides the message. */
  readonly recorded?: JsonObject
}

/** What one rule came to. `text` is as it leaves it, for whoever follows unless it is in shadow. */
export interface Ended {
  readonly compiled: CompiledRule
  readonly verdict: Receipt['verdict']
  readonly text: Text
  readonly findings: Readonly<Record<string, number>>
  /** Why it was undecided; for the log. */
  readonly failure: string | null
  /** What the engine says to the client of a block. */
  readonly reason: string
  readonly ms: number
}

/** One rule on its way through its passes. It works on a text of its own. */
interface Trial {
  readonly compiled: CompiledRule
  readonly started: number
  pass: number
  text: Text
  readonly findings: Record<string, number>
  acted: boolean
}

export const shapeOf = (subject: Subject) => subject.shape ?? subject.kind

export const textOf = (message: JsonObject, leg: Leg, subject: Subject): Text => ({
  message,
  leaves: walk(message, leg, shapeOf(subject)),
})

/** Takes a rule through its passes, each on what the former left. Answers at once when its engine does; never rejects. */
export function runPasses(asked: Asked, compiled: CompiledRule, text: Text): Ended | Promise<Ended> {
  return proceed(asked, { compiled, started: performance.now(), pass: 0, text, findings: {}, acted: false })
}

function proceed(asked: Asked, trial: Trial): Ended | Promise<Ended> {
  for (;;) {
    const answer = ask(asked, trial)
    if (isPromise(answer)) return resume(asked, trial, answer)
    const ended = judged(asked, trial, answer)
    if (ended !== null) return ended
  }
}

async function resume(asked: Asked, trial: Trial, pending: Promise<Evaluation>): Promise<Ended> {
  return judged(asked, trial, await pending.catch(failure)) ?? proceed(asked, trial)
}

/** What is rewritten are values; whoever only looks sees the keys as well, and the message as one text. */
function leavesFor({ text, compiled }: Trial): readonly Leaf[] {
  if (compiled.change !== null) return text.leaves.values
  return compiled.whole ? text.leaves.all() : text.leaves.apart()
}

function ask(
  { leg, context, subject, engines, limits, recorded }: Asked,
  trial: Trial,
): Evaluation | Promise<Evaluation> {
  const { kind, state, broken } = trial.compiled
  if (broken !== null) return undecided(broken)
  try {
    const { header } = subject
    const { message } = trial.text
    const rewrite = rewriterOf(message, leg, shapeOf(subject))
    const request = { state, pass: trial.pass, leg, leaves: leavesFor(trial), message, context, header, rewrite }
    return engines.evaluate(kind, recorded === undefined ? request : { ...request, recorded }, limits)
  } catch (thrown) {
    return failure(thrown)
  }
}

/** Others than ours may repeat what they met. */
const whyNot = (thrown: unknown) =>
  thrown instanceof GatehouseError ? thrown.message : 'what it answers cannot be done'

const failure = (thrown: unknown) => undecided(thrown instanceof Error ? thrown.message : 'the engine failed')

/** What an answer makes of the message may be more than can be walked: then nothing is decided. */
function judged(asked: Asked, trial: Trial, answer: Evaluation): Ended | null {
  try {
    return judge(asked, trial, answer)
  } catch (thrown) {
    return end(trial, 'undecided', { failure: whyNot(thrown) })
  }
}

/** Null when there is a further pass. */
function judge(asked: Asked, trial: Trial, answer: Evaluation): Ended | null {
  const checked = checkAnswer(answer, leavesFor(trial))
  switch (checked.verdict) {
    case 'pass':
      return passOn(trial)
    case 'findings':
      return judgeFindings(asked, trial, checked)
    case 'modify':
      return judgeMessage(asked, trial, checked.patch.message)
    case 'block':
      if (trial.compiled.rule.action !== 'detect') return end(trial, 'block', { reason: checked.reason })
      count(trial, 'message')
      return passOn(trial)
    case 'undecided':
      return end(trial, 'undecided', { failure: checked.message })
    default:
      return never(checked)
  }
}

type Findings = Extract<Evaluation, { verdict: 'findings' }>

function judgeFindings({ leg, subject }: Asked, trial: Trial, { findings }: Findings): Ended | null {
  const { rule, change } = trial.compiled
  const { action } = rule
  if (findings.length === 0) return passOn(trial)
  if (action === null) return end(trial, 'undecided', { failure: 'spans were found but the rule has no action' })
  const leaves = leavesFor(trial)
  // The whole text repeats what stands in its leaves: it counts only when nothing else does.
  const apart = findings.filter((finding) => leaves[finding.leaf]?.kind !== 'whole')
  for (const finding of apart.length > 0 ? apart : findings) count(trial, finding.type)
  if (action === 'block') return end(trial, 'block', {})
  if (change !== null) {
    const changed = changeLeaves(trial.text, leg, shapeOf(subject), apart, change)
    if (changed !== trial.text.message) trial.text = textOf(changed, leg, subject)
  }
  return passOn(trial)
}

function judgeMessage({ leg, subject }: Asked, trial: Trial, wanted: Parameters<typeof checkMessage>[1]): Ended | null {
  const message = checkMessage(trial.text.message, wanted, leg, shapeOf(subject))
  if (message === null) return end(trial, 'undecided', { failure: 'a message that changes what it may not' })
  const text = textOf(message, leg, subject)
  if (sizeOf(text) > MOST_TEXT) return end(trial, 'undecided', { failure: 'a message that is too large' })
  count(trial, 'message')
  if (trial.compiled.rule.action !== 'detect') trial.text = text
  return passOn(trial)
}

/** An engine gives back at most 16 MiB. */
const MOST_TEXT = 16 * 1024 * 1024
const sizeOf = ({ leaves }: Text): number => leaves.values.reduce((size, { text }) => size + text.length, 0)

/** So many types are told apart in a receipt. */
const MOST_TYPES = 200
const OTHER = 'other'

/** A type is what an engine says: it may be called like what every object has. */
function count(trial: Trial, type: string): void {
  const { findings } = trial
  const isKnown = Object.hasOwn(findings, type)
  const name = isKnown || Object.keys(findings).length < MOST_TYPES - 1 ? type : OTHER
  findings[name] = Object.hasOwn(findings, name) ? (findings[name] as number) + 1 : 1
  trial.acted = true
}

function passOn(trial: Trial): Ended | null {
  trial.pass += 1
  if (trial.pass < trial.compiled.passes) return null
  const acted = trial.compiled.rule.action === 'detect' ? 'detect' : 'modify'
  return end(trial, trial.acted ? acted : 'pass', {})
}

function end(
  { compiled, text, findings, started }: Trial,
  verdict: Ended['verdict'],
  { failure: why, reason = '' }: { readonly failure?: string; readonly reason?: string },
): Ended {
  const ms = Math.round((performance.now() - started) * 1000) / 1000
  return { compiled, verdict, text, findings, failure: why ?? null, reason, ms }
}

export const isPromise = <T>(answer: T | Promise<T>): answer is Promise<T> =>
  typeof (answer as Partial<Promise<T>> | undefined)?.then === 'function'
