import type { Evaluation, JsonObject, Leaf, Receipt } from '@gatehouse/sdk'
import { never } from '@gatehouse/sdk'
import type { CompiledRule } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'
import { checkAnswer, checkMessage } from './answers.js'
import { readBeside } from './beside.js'
import type { Told } from './beside.js'
import type { Subject } from './engines.js'
import { changeLeaves } from './change.js'
import { walk } from './leaves.js'
import type { Leaves } from './leaves.js'
import type { Leg } from './shape.js'

/** A message and its texts. */
export interface Text {
  readonly message: JsonObject
  readonly leaves: Leaves
}

/** What one rule came to. `text` is as it leaves it, for whoever follows unless it is in shadow. */
export interface Ended {
  readonly compiled: CompiledRule
  readonly verdict: Receipt['verdict']
  /** The message as the rule met it. */
  readonly saw: JsonObject
  readonly text: Text
  readonly findings: Readonly<Record<string, number>>
  readonly told: Told | null
  /** Why it was undecided; for the log. */
  readonly failure: string | null
  /** What the engine says to the client of a block. */
  readonly reason: string
  readonly ms: number
}

/** One rule on its way through its passes. It works on a text of its own. */
export interface Trial {
  readonly compiled: CompiledRule
  readonly started: number
  /** Of a rule that was asked with others: its part of the time. */
  readonly ms: number | null
  readonly saw: JsonObject
  pass: number
  text: Text
  readonly findings: Record<string, number>
  told: Told | null
  acted: boolean
}

export const trialOf = (compiled: CompiledRule, text: Text, started: number, ms: number | null = null): Trial => ({
  compiled,
  started,
  ms,
  saw: text.message,
  pass: 0,
  text,
  findings: {},
  told: null,
  acted: false,
})

interface About {
  readonly leg: Leg
  readonly subject: Subject
}

export const shapeOf = (subject: Subject) => subject.shape ?? subject.kind

export const textOf = (message: JsonObject, leg: Leg, subject: Subject): Text => ({
  message,
  leaves: walk(message, leg, shapeOf(subject)),
})

/**
 * What is rewritten are values; whoever only looks sees the keys as well, and the message as one text. Rules that are asked together
 * see the same, whatever each of them does.
 */
export function leavesFor({ change, chains, whole }: CompiledRule, leaves: Leaves): readonly Leaf[] {
  if (chains) return leaves.apart()
  if (change !== null) return leaves.values
  return whole ? leaves.all() : leaves.apart()
}

/** Null when there is a further pass. What an answer makes of the message may be more than can be walked: then nothing is decided. */
export function judged(about: About, trial: Trial, answer: Evaluation): Ended | null {
  try {
    const told = readBeside(answer)
    if (typeof told === 'string') return end(trial, 'undecided', { failure: told })
    if (told !== null) take(trial, told)
    return judge(about, trial, answer)
  } catch (thrown) {
    return end(trial, 'undecided', { failure: whyNot(thrown) })
  }
}

/** Others than ours may repeat what they met. */
const whyNot = (thrown: unknown) =>
  thrown instanceof GatehouseError ? thrown.message : 'what it answers cannot be done'

/** What is only told makes no rule act: it counts. */
function take(trial: Trial, told: Told): void {
  trial.told = told
  for (const [type, n] of Object.entries(told.counts ?? {})) count(trial, type, n)
}

function judge(about: About, trial: Trial, answer: Evaluation): Ended | null {
  const checked = checkAnswer(answer, leavesFor(trial.compiled, trial.text.leaves))
  switch (checked.verdict) {
    case 'pass':
      return passOn(trial)
    case 'findings':
      return judgeFindings(about, trial, checked)
    case 'modify':
      return judgeMessage(about, trial, checked.patch.message)
    case 'block':
      if (trial.compiled.rule.action !== 'detect') return end(trial, 'block', { reason: checked.reason })
      act(trial, 'message')
      return passOn(trial)
    case 'undecided':
      return end(trial, 'undecided', { failure: checked.message })
    default:
      return never(checked)
  }
}

type Findings = Extract<Evaluation, { verdict: 'findings' }>

function judgeFindings({ leg, subject }: About, trial: Trial, { findings }: Findings): Ended | null {
  const { rule, change } = trial.compiled
  const { action } = rule
  if (findings.length === 0) return passOn(trial)
  if (action === null) return end(trial, 'undecided', { failure: 'spans were found but the rule has no action' })
  const leaves = leavesFor(trial.compiled, trial.text.leaves)
  // The whole text repeats what stands in its leaves: it counts only when nothing else does.
  const apart = findings.filter((finding) => leaves[finding.leaf]?.kind !== 'whole')
  for (const finding of apart.length > 0 ? apart : findings) act(trial, finding.type)
  if (action === 'block') return end(trial, 'block', {})
  if (change !== null) {
    const isOfKey = apart.some((finding) => leaves[finding.leaf]?.kind === 'key')
    if (isOfKey) return end(trial, 'undecided', { failure: 'a finding in a key, which no action can change' })
    const changed = changeLeaves(trial.text, leg, shapeOf(subject), apart, change)
    if (changed !== trial.text.message) trial.text = textOf(changed, leg, subject)
  }
  return passOn(trial)
}

function judgeMessage({ leg, subject }: About, trial: Trial, wanted: Parameters<typeof checkMessage>[1]): Ended | null {
  const { action } = trial.compiled.rule
  // Whoever is asked beside it, or behind it in a chain, was not shown what it makes of the message.
  if (action === 'block') return end(trial, 'undecided', { failure: 'a changed message, but the rule is to block' })
  const message = checkMessage(trial.text.message, wanted, leg, shapeOf(subject))
  if (message === null) return end(trial, 'undecided', { failure: 'a message that changes what it may not' })
  const text = textOf(message, leg, subject)
  if (sizeOf(text) > MOST_TEXT) return end(trial, 'undecided', { failure: 'a message that is too large' })
  act(trial, 'message')
  if (action !== 'detect') trial.text = text
  return passOn(trial)
}

/** An engine gives back at most 16 MiB. */
const MOST_TEXT = 16 * 1024 * 1024
const sizeOf = ({ leaves }: Text): number => leaves.values.reduce((size, { text }) => size + text.length, 0)

/** So many types are told apart in a receipt. */
const MOST_TYPES = 200
const OTHER = 'other'

function act(trial: Trial, type: string): void {
  count(trial, type, 1)
  trial.acted = true
}

/** A type is what an engine says: it may be called like what every object has. */
function count({ findings }: Trial, type: string, n: number): void {
  const isKnown = Object.hasOwn(findings, type)
  const name = isKnown || Object.keys(findings).length < MOST_TYPES - 1 ? type : OTHER
  findings[name] = Object.hasOwn(findings, name) ? (findings[name] as number) + n : n
}

function passOn(trial: Trial): Ended | null {
  trial.pass += 1
  if (trial.pass < trial.compiled.passes) return null
  const acted = trial.compiled.rule.action === 'detect' ? 'detect' : 'modify'
  return end(trial, trial.acted ? acted : 'pass', {})
}

function end(
  { compiled, saw, text, findings, told, started, ms }: Trial,
  verdict: Ended['verdict'],
  { failure: why, reason = '' }: { readonly failure?: string; readonly reason?: string },
): Ended {
  const took = Math.round((ms ?? performance.now() - started) * 1000) / 1000
  return { compiled, verdict, saw, text, findings, told, failure: why ?? null, reason, ms: took }
}
