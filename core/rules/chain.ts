import type { Alert, JsonObject, Receipt } from '@gatehouse/sdk'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import type { Engines, Subject } from './engines.js'
import { isPromise, runPasses, textOf } from './passes.js'
import type { Asked, Ended, Text } from './passes.js'
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
  /** Milliseconds that one evaluation may take. */
  readonly engineLimit: () => number
  /** Told of every rule that could not decide, and why. For the log. */
  readonly onUndecided: (rule: Rule, why: string) => void
}

const UNTOUCHED: Outcome = Object.freeze({ kind: 'pass', receipts: Object.freeze([]), alerts: Object.freeze([]) })
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
 * all the same: a block gives up those behind it, whose receipts are `undecided` and fell nowhere.
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
}

function nextCovering(rules: readonly CompiledRule[], from: number, leg: Leg, subject: Subject): number {
  for (let index = from; index < rules.length; index += 1) {
    const { rule, covers } = rules[index] as CompiledRule
    if (rule.hook !== leg && rule.hook !== 'both') continue
    if (covers(subject.prefix, subject.serverSlug, subject.kind, subject.feature)) return index
  }
  return rules.length
}

function take(run: Run): CompiledRule | null {
  if (run.blocked !== null || run.next === run.rules.length) return null
  const compiled = run.rules[run.next] as CompiledRule
  run.next = nextCovering(run.rules, run.next + 1, run.asked.leg, run.asked.subject)
  return compiled
}

function proceed(run: Run): Outcome | Promise<Outcome> {
  for (;;) {
    const compiled = take(run)
    if (compiled === null) return finish(run)
    const ended = runPasses(run.asked, compiled, run.text)
    if (isPromise(ended)) return resume(run, [{ compiled, ended }])
    conclude(run, ended)
  }
}

interface Started {
  readonly compiled: CompiledRule
  readonly ended: Ended | Promise<Ended>
}

/** The first takes time. If it only looks, those behind it that only look are asked meanwhile, on the same text. */
async function resume(run: Run, started: Started[]): Promise<Outcome> {
  const looksOnly = started[0]?.compiled.looksOnly === true
  while (looksOnly && started.length < MOST_AT_ONCE && run.rules[run.next]?.looksOnly === true) {
    const compiled = take(run) as CompiledRule
    started.push({ compiled, ended: runPasses(run.asked, compiled, run.text) })
  }
  for (const [index, { compiled, ended }] of started.entries()) {
    if (run.blocked !== null) run.receipts.push(receiptOf(compiled, run.asked.leg, GIVEN_UP))
    else conclude(run, await ended)
    if (run.blocked !== null && index < started.length - 1) run.end.giveUp()
  }
  return proceed(run)
}

const GIVEN_UP = Object.freeze({ verdict: 'undecided', findings: Object.freeze({}), failure: null, ms: 0 })

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
  const alert = alertOf(compiled, leg, context, ended)
  if (alert !== null) run.alerts.push(alert)
  if (why !== null) run.workshop.onUndecided(rule, why)
  if (rule.shadow) return
  run.text = ended.text
  const stops = verdict === 'block' || (verdict === 'undecided' && rule.onFailure === 'block')
  if (stops) run.blocked = { rule, reason: why === null ? ended.reason.slice(0, LONGEST_REASON) : UNCHECKED }
}

function finish({ blocked, text, original, receipts, alerts }: Run): Outcome {
  if (blocked !== null) return { kind: 'blocked', blockedBy: blocked.rule, reason: blocked.reason, receipts, alerts }
  if (text.message === original) return { kind: 'pass', receipts, alerts }
  return { kind: 'changed', message: text.message, receipts, alerts }
}
