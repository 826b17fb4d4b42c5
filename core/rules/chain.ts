import type { Alert, CallContext, JsonObject, Receipt } from '@gatehouse/sdk'
import type { Rule } from '../domain/nouns.js'
import { principalOf, quarantineFor } from '../domain/rule-watch.js'
import type { Quarantine, RuleWatch } from '../domain/rule-watch.js'
import type { CompiledRule } from '../domain/snapshot.js'
import type { Told } from './beside.js'
import type { Engines, Subject } from './engines.js'
import { textOf } from './judge.js'
import type { Ended, Text } from './judge.js'
import { isPromise, runPasses } from './passes.js'
import type { Asked } from './passes.js'
import { alertOf, receiptOf } from './receipts.js'
import { askRow, settleRow } from './row.js'
import type { Course, Row } from './row.js'
import type { Leg } from './shape.js'
import { isCanary, isInShare } from './share.js'
import { strike } from './strikes.js'
import type { Tallies } from './tallies.js'

/**
 * What the rules made of a message.
 *
 * - `pass`: it goes on as it came; rules that only detect, and rules in shadow, may have left receipts.
 * - `changed`: `message` goes on in its place.
 * - `blocked`: it ends here; `reason` is for the client, beside the rule's name. Empty when there is none to give.
 */
export type Outcome = Left & Marks
type Left =
  | { readonly kind: 'pass' }
  | { readonly kind: 'changed'; readonly message: JsonObject }
  | { readonly kind: 'blocked'; readonly blockedBy: Rule; readonly reason: string }

/** What rules leave besides. */
interface Marks {
  readonly receipts: readonly Receipt[]
  readonly alerts: readonly Alert[]
  readonly recorded: readonly Recorded[]
}

/** What a rule must see to come to its verdict once more. */
export interface Recorded {
  /** Which of the receipts is the rule's. */
  readonly receipt: number
  readonly compiled: CompiledRule
  /** The message as the rule met it; null when that is the original. */
  readonly message: JsonObject | null
  /** What its engine looked at besides. */
  readonly recorded: JsonObject
}

/** What a chain works with. */
export interface Workshop {
  readonly engines: Engines
  /** Milliseconds that one evaluation may take. */
  readonly engineLimit: () => number
  /** Told of every rule that could not decide, and why. For the log. */
  readonly onUndecided: (rule: Rule, why: string) => void
  /** Told of every rule that is put in quarantine here; null: strikes do not count. */
  readonly onQuarantined: ((compiled: CompiledRule, quarantine: Quarantine) => void) | null
  /** Null: nobody wants to know. */
  readonly tallies: Tallies | null
}

const NOTHING: readonly Recorded[] = Object.freeze([])
const UNTOUCHED: Outcome = Object.freeze({
  kind: 'pass',
  receipts: Object.freeze([]),
  alerts: Object.freeze([]),
  recorded: NOTHING,
})
const UNCHECKED = 'The message could not be checked.'
/** The longest reason of an engine that a client is shown. */
const LONGEST_REASON = 500
/** So many engines are asked at once for one message. */
const MOST_AT_ONCE = 16

/**
 * Runs the rules of one leg in their order, each on what the former left. Answers at once when every engine does, and
 * without making anything when no rule covers the subject. Never rejects for what an engine did.
 *
 * Rules in a row that cannot change the message are asked at once when their engines take time. They are judged in their order
 * all the same: a block gives up those behind it, whose receipts are `undecided` and fell nowhere. Rules in a row of an engine that
 * chains are asked for with one question (see `row.ts`).
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
  const { engines } = workshop
  const end = createEnd()
  const limits = { within: workshop.engineLimit(), parent: end.signal }
  return proceed({
    workshop,
    end,
    asked: { engines, leg, subject, context: subject.context(), limits },
    rules,
    original: message,
    text: textOf(message, leg, subject),
    next: first,
    blocked: null,
    receipts: [],
    alerts: [],
    recorded: null,
  })
}

/** A chain on its way. */
interface Run {
  readonly workshop: Workshop
  readonly end: End
  readonly asked: Asked
  readonly rules: readonly CompiledRule[]
  readonly original: JsonObject
  /** As the rules so far left it. */
  text: Text
  next: number
  blocked: { readonly rule: Rule; readonly reason: string } | null
  readonly receipts: Receipt[]
  readonly alerts: Alert[]
  recorded: Recorded[] | null
}

function nextCovering(rules: readonly CompiledRule[], from: number, leg: Leg, subject: Subject): number {
  for (let index = from; index < rules.length; index += 1) {
    const { rule, covers, share } = rules[index] as CompiledRule
    if (rule.hook !== leg && rule.hook !== 'both') continue
    if (!covers(subject.prefix, subject.serverSlug, subject.kind, subject.feature)) continue
    if (share === null || isItsShare(rules, index, subject.context())) return index
  }
  return rules.length
}

/** A canary in quarantine is left out, and the version that stands takes its messages. */
function isItsShare(rules: readonly CompiledRule[], index: number, context: CallContext): boolean {
  const { rule, share, watch } = rules[index] as CompiledRule
  const { correlationId } = context
  const isBarred = (one: RuleWatch) => quarantineFor(one, principalOf(context)) !== null
  if (share === null) return true
  if (isCanary(share)) return !isBarred(watch) && isInShare(share, correlationId)
  const canary = rules.find((one) => one.rule.id === rule.id && one.share !== null && isCanary(one.share))
  return isInShare(share, correlationId) || (canary !== undefined && isBarred(canary.watch))
}

function take(run: Run): CompiledRule | null {
  if (run.blocked !== null || run.next === run.rules.length) return null
  const compiled = run.rules[run.next] as CompiledRule
  run.next = nextCovering(run.rules, run.next + 1, run.asked.leg, run.asked.subject)
  return compiled
}

type Fits = (compiled: CompiledRule) => boolean

/** A rule, and those right behind it that its engine answers for with one question. */
function takeRow(run: Run, first: CompiledRule, fits: Fits): readonly CompiledRule[] {
  const row = [first]
  for (;;) {
    const next = run.rules[run.next]
    if (next === undefined || next.kind !== first.kind || !isChained(run, next) || !fits(next)) return row
    row.push(take(run) as CompiledRule)
  }
}

/** What was asked: of one rule, or of a row of them. */
type Started =
  { readonly compiled: CompiledRule; readonly answer: Ended | Promise<Ended> } | (Row & { readonly compiled: null })

const isChained = ({ asked }: Run, { chains, broken, watch }: CompiledRule) =>
  chains && broken === null && quarantineFor(watch, principalOf(asked.context)) === null

function start(run: Run, compiled: CompiledRule, fits: Fits = isAny): Started {
  if (!isChained(run, compiled)) return { compiled, answer: runPasses(run.asked, compiled, run.text) }
  return { ...askRow(courseOf(run), takeRow(run, compiled, fits)), compiled: null }
}

const isAny: Fits = () => true
const looks: Fits = ({ looksOnly }) => looksOnly

const courseOf = (run: Run): Course => ({
  asked: run.asked,
  text: () => run.text,
  conclude: (ended) => {
    conclude(run, ended)
    return run.blocked === null
  },
})

/** Undefined when there is nothing to wait for. */
function settle(run: Run, started: Started): Promise<void> | undefined {
  if (started.compiled === null) return settleRow(courseOf(run), started)
  if (isPromise(started.answer)) return started.answer.then((ended) => conclude(run, ended))
  conclude(run, started.answer)
  return undefined
}

function proceed(run: Run): Outcome | Promise<Outcome> {
  for (;;) {
    const compiled = take(run)
    if (compiled === null) return finish(run)
    if (isChained(run, compiled)) {
      const pending = proceedRow(run, start(run, compiled))
      if (pending !== undefined) return pending
    } else {
      const ended = runPasses(run.asked, compiled, run.text)
      if (isPromise(ended)) return resume(run, [{ compiled, answer: ended }])
      conclude(run, ended)
    }
  }
}

/** Undefined when nothing was to wait for. */
function proceedRow(run: Run, started: Started): Promise<Outcome> | undefined {
  if (isPromise(started.answer as unknown)) return resume(run, [started])
  return settle(run, started)?.then(() => proceed(run))
}

/** The first takes time. If it only looks, those behind it that only look are asked meanwhile, on the same text. */
async function resume(run: Run, started: Started[]): Promise<Outcome> {
  const isLooking = () => rulesOf(started.at(-1) as Started).every(looks)
  while (isLooking() && started.length < MOST_AT_ONCE && run.rules[run.next]?.looksOnly === true)
    started.push(start(run, take(run) as CompiledRule, looks))
  for (const [index, each] of started.entries()) {
    if (run.blocked === null) await settle(run, each)
    else for (const compiled of rulesOf(each)) run.receipts.push(receiptOf(compiled, run.asked.leg, GIVEN_UP))
    if (run.blocked !== null && index < started.length - 1) run.end.giveUp()
  }
  return proceed(run)
}

const rulesOf = (started: Started): readonly CompiledRule[] =>
  started.compiled === null ? started.rules : [started.compiled]

const GIVEN_UP = Object.freeze({
  verdict: 'undecided',
  findings: Object.freeze({}),
  told: null,
  failure: null,
  ms: 0,
})

/** A way to give up what was asked; a signal is made for an engine that listens. */
interface End {
  readonly signal: () => AbortSignal
  giveUp(): void
}

function createEnd(): End {
  let controller: AbortController | undefined
  const made = () => (controller ??= new AbortController())
  return {
    signal: () => made().signal,
    giveUp: () => made().abort(new Error('another rule has blocked the message')),
  }
}

function conclude(run: Run, ended: Ended): void {
  const { compiled, verdict, failure: why } = ended
  const { leg, context } = run.asked
  const { rule } = compiled
  run.receipts.push(receiptOf(compiled, leg, ended))
  if (ended.told !== null) keep(run, ended.told, ended)
  run.workshop.tallies?.note(ended)
  const alert = alertOf(compiled, leg, context, ended)
  if (alert !== null) run.alerts.push(alert)
  if (why !== null) run.workshop.onUndecided(rule, why)
  if (rule.shadow) return
  run.text = ended.text
  const stops = verdict === 'block' || (verdict === 'undecided' && rule.onFailure === 'block')
  if (stops) run.blocked = { rule, reason: why === null ? ended.reason.slice(0, LONGEST_REASON) : UNCHECKED }
}

/** What its engine told besides. */
function keep(run: Run, { recorded, strike: fault }: Told, { compiled, saw }: Ended): void {
  if (recorded !== null) {
    run.recorded ??= []
    run.recorded.push({
      receipt: run.receipts.length - 1,
      compiled,
      message: saw === run.original ? null : saw,
      recorded,
    })
  }
  const { onQuarantined } = run.workshop
  if (fault === null || onQuarantined === null) return
  const principal = principalOf(run.asked.context)
  const quarantine = strike(compiled.watch, { reason: fault, principal, at: Date.now() })
  if (quarantine !== null) onQuarantined(compiled, quarantine)
}

function finish({ blocked, text, original, receipts, alerts, recorded: some }: Run): Outcome {
  const recorded = some ?? NOTHING
  if (blocked !== null)
    return { kind: 'blocked', blockedBy: blocked.rule, reason: blocked.reason, receipts, alerts, recorded }
  if (text.message === original) return { kind: 'pass', receipts, alerts, recorded }
  return { kind: 'changed', message: text.message, receipts, alerts, recorded }
}
