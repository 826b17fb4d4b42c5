import type { Alert, CallContext, Evaluation, JsonObject, Leaf, Receipt } from '@gatehouse/sdk'
import { never, undecided } from '@gatehouse/sdk'
import type { TextChange } from '../domain/actions.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { checkAnswer, checkMessage } from './answers.js'
import type { Engines, Subject } from './engines.js'
import { changeLeaves } from './change.js'
import { walk } from './leaves.js'
import type { Leaves } from './leaves.js'
import { alertOf, receiptOf } from './receipts.js'
import type { Leg } from './shape.js'

/**
 * What the rules made of a message.
 *
 * - `pass`: it goes on as it came; rules that only detect, and rules in shadow, may have left receipts.
 * - `changed`: `message` goes on in its place.
 * - `blocked`: it ends here; `reason` is for the client, beside the rule's name. Empty when there is none to give.
 */
export type Outcome =
  | { readonly kind: 'pass'; readonly receipts: readonly Receipt[]; readonly alerts: readonly Alert[] }
  | {
      readonly kind: 'changed'
      readonly message: JsonObject
      readonly receipts: readonly Receipt[]
      readonly alerts: readonly Alert[]
    }
  | {
      readonly kind: 'blocked'
      readonly blockedBy: Rule
      readonly reason: string
      readonly receipts: readonly Receipt[]
      readonly alerts: readonly Alert[]
    }

/** What a chain works with. */
export interface Workshop {
  readonly engines: Engines
  /** How the rule changes the texts it finds; null when it does not. */
  readonly changeOf: (rule: Rule) => TextChange | null
  /** Told of every rule that could not decide, and why. For the log. */
  readonly onUndecided: (rule: Rule, why: string) => void
}

const UNTOUCHED: Outcome = Object.freeze({ kind: 'pass', receipts: Object.freeze([]), alerts: Object.freeze([]) })
const UNCHECKED = 'The message could not be checked.'
/** The longest reason of an engine that a client is shown. */
const LONGEST_REASON = 500

/**
 * Runs the rules of one leg in their order, each on what the former left. Answers at once when every engine does, and
 * without making anything when no rule covers the subject. Never rejects for what an engine did.
 */
export function inspect(
  workshop: Workshop,
  leg: Leg,
  rules: readonly CompiledRule[],
  subject: Subject,
  message: JsonObject,
): Outcome | Promise<Outcome> {
  const first = nextCovering(rules, 0, leg, subject)
  if (first === rules.length) return UNTOUCHED
  return proceed({
    workshop,
    leg,
    rules,
    subject,
    context: subject.context(),
    original: message,
    text: { message, leaves: walk(message, leg, shapeOf(subject)) },
    trial: null,
    next: first,
    blocked: null,
    receipts: [],
    alerts: [],
  })
}

interface Text {
  readonly message: JsonObject
  readonly leaves: Leaves
}

/** A chain on its way. */
interface Run {
  readonly workshop: Workshop
  readonly leg: Leg
  readonly rules: readonly CompiledRule[]
  readonly subject: Subject
  readonly context: CallContext
  readonly original: JsonObject
  /** As the rules so far left it. */
  text: Text
  trial: Trial | null
  next: number
  blocked: { readonly rule: Rule; readonly reason: string } | null
  readonly receipts: Receipt[]
  readonly alerts: Alert[]
}

/** One rule on its way through its passes. It works on a text of its own, which counts only when it is done. */
interface Trial {
  readonly compiled: CompiledRule
  readonly change: TextChange | null
  readonly started: number
  pass: number
  text: Text
  readonly findings: Record<string, number>
  acted: boolean
}

const shapeOf = (subject: Subject) => subject.shape ?? subject.kind

function nextCovering(rules: readonly CompiledRule[], from: number, leg: Leg, subject: Subject): number {
  for (let index = from; index < rules.length; index += 1) {
    const { rule, covers } = rules[index] as CompiledRule
    if (rule.hook !== leg && rule.hook !== 'both') continue
    if (covers(subject.prefix, subject.serverSlug, subject.kind, subject.feature)) return index
  }
  return rules.length
}

function proceed(run: Run): Outcome | Promise<Outcome> {
  for (;;) {
    const trial = run.trial ?? begin(run)
    if (trial === null) return finish(run)
    const answer = ask(run, trial)
    if (isPromise(answer)) return resume(run, trial, answer)
    judge(run, trial, answer)
  }
}

async function resume(run: Run, trial: Trial, pending: Promise<Evaluation>): Promise<Outcome> {
  judge(run, trial, await pending.catch(failure))
  return proceed(run)
}

function begin(run: Run): Trial | null {
  if (run.blocked !== null || run.next === run.rules.length) return null
  const compiled = run.rules[run.next] as CompiledRule
  run.next = nextCovering(run.rules, run.next + 1, run.leg, run.subject)
  const change = run.workshop.changeOf(compiled.rule)
  run.trial = { compiled, change, started: performance.now(), pass: 0, text: run.text, findings: {}, acted: false }
  return run.trial
}

/** What is rewritten are values; whoever only looks sees the keys as well, and the message as one text. */
function leavesFor({ change, text, compiled }: Trial): readonly Leaf[] {
  if (change !== null) return text.leaves.values
  return compiled.whole ? text.leaves.all() : text.leaves.apart()
}

function ask(run: Run, trial: Trial): Evaluation | Promise<Evaluation> {
  const { kind, state, broken } = trial.compiled
  if (broken !== null) return undecided(broken)
  try {
    const { leg, context } = run
    const { header } = run.subject
    const { message } = trial.text
    const request = { state, pass: trial.pass, leg, leaves: leavesFor(trial), message, context, header }
    return run.workshop.engines.evaluate(kind, request)
  } catch (thrown) {
    return failure(thrown)
  }
}

const failure = (thrown: unknown) => undecided(thrown instanceof Error ? thrown.message : 'the engine failed')

function judge(run: Run, trial: Trial, answer: Evaluation): void {
  const checked = checkAnswer(answer, leavesFor(trial))
  switch (checked.verdict) {
    case 'pass':
      return passOn(run, trial)
    case 'findings':
      return judgeFindings(run, trial, checked)
    case 'modify':
      return judgeMessage(run, trial, checked.patch.message)
    case 'block':
      if (trial.compiled.rule.action !== 'detect') return conclude(run, trial, 'block', { reason: checked.reason })
      count(trial, 'message')
      return passOn(run, trial)
    case 'undecided':
      return conclude(run, trial, 'undecided', { failure: checked.message })
    default:
      return never(checked)
  }
}

type Findings = Extract<Evaluation, { verdict: 'findings' }>

function judgeFindings(run: Run, trial: Trial, { findings }: Findings): void {
  const { action } = trial.compiled.rule
  if (findings.length === 0) return passOn(run, trial)
  if (action === null)
    return conclude(run, trial, 'undecided', { failure: 'spans were found but the rule has no action' })
  const leaves = leavesFor(trial)
  // The whole text repeats what stands in its leaves: it counts only when nothing else does.
  const apart = findings.filter((finding) => leaves[finding.leaf]?.kind !== 'whole')
  for (const finding of apart.length > 0 ? apart : findings) count(trial, finding.type)
  if (action === 'block') return conclude(run, trial, 'block', {})
  if (trial.change !== null)
    replace(run, trial, changeLeaves(trial.text, run.leg, shapeOf(run.subject), apart, trial.change))
  passOn(run, trial)
}

function judgeMessage(run: Run, trial: Trial, wanted: Parameters<typeof checkMessage>[1]): void {
  const message = checkMessage(trial.text.message, wanted, run.leg, shapeOf(run.subject))
  if (message === null) return conclude(run, trial, 'undecided', { failure: 'a message that changes what it may not' })
  count(trial, 'message')
  if (trial.compiled.rule.action !== 'detect') replace(run, trial, message)
  passOn(run, trial)
}

function replace(run: Run, trial: Trial, message: JsonObject): void {
  if (message === trial.text.message) return
  trial.text = { message, leaves: walk(message, run.leg, shapeOf(run.subject)) }
}

function count(trial: Trial, type: string): void {
  trial.findings[type] = (trial.findings[type] ?? 0) + 1
  trial.acted = true
}

function passOn(run: Run, trial: Trial): void {
  trial.pass += 1
  if (trial.pass < trial.compiled.passes) return
  const acted = trial.compiled.rule.action === 'detect' ? 'detect' : 'modify'
  conclude(run, trial, trial.acted ? acted : 'pass', {})
}

interface Facts {
  /** What the engine says to the client. */
  readonly reason?: string
  readonly failure?: string
}

function conclude(run: Run, trial: Trial, verdict: Receipt['verdict'], { reason, failure: why }: Facts): void {
  const { rule } = trial.compiled
  const ms = Math.round((performance.now() - trial.started) * 1000) / 1000
  const conclusion = { verdict, findings: trial.findings, failure: why ?? null, ms }
  run.trial = null
  run.receipts.push(receiptOf(trial.compiled, run.leg, conclusion))
  const alert = alertOf(trial.compiled, run.leg, run.context, conclusion)
  if (alert !== null) run.alerts.push(alert)
  if (why !== undefined) run.workshop.onUndecided(rule, why)
  if (rule.shadow) return
  run.text = trial.text
  const stops = verdict === 'block' || (verdict === 'undecided' && rule.onFailure === 'block')
  if (stops) run.blocked = { rule, reason: why === undefined ? (reason ?? '').slice(0, LONGEST_REASON) : UNCHECKED }
}

function finish({ blocked, text, original, receipts, alerts }: Run): Outcome {
  if (blocked !== null) return { kind: 'blocked', blockedBy: blocked.rule, reason: blocked.reason, receipts, alerts }
  if (text.message === original) return { kind: 'pass', receipts, alerts }
  return { kind: 'changed', message: text.message, receipts, alerts }
}

const isPromise = (answer: Evaluation | Promise<Evaluation>): answer is Promise<Evaluation> =>
  typeof (answer as Partial<Promise<Evaluation>> | undefined)?.then === 'function'
