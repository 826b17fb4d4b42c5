import type { Ran } from '@gatehouse/rule-sandbox'
import type { Evaluation, EvaluateRequest, Finding, Json, Leaf } from '@gatehouse/sdk'
import { never, undecided } from '@gatehouse/sdk'
import type { RuleAnswer, RuleFinding } from '@gatehouse/sdk/rule-abi'
import { decisionOf, isPlaced } from './decide.js'
import { countsOf, evidenceOf, recordedOf } from './evidence.js'
import type { Facts } from './inputs.js'
import { withMarks } from './marks.js'
import type { Prepared } from './shelf.js'

/** What an answer is read with. */
export interface Reading {
  readonly request: Pick<EvaluateRequest, 'message' | 'leaves' | 'rewrite' | 'keeps'>
  readonly facts: Facts
  /** The rule whose answer it is, with what core would do to its findings. */
  readonly rule: Prepared
  readonly action: Prepared['action']
}

/** What is the rule's own fault, and counts as a strike. */
class Fault extends Error {}

/** What core is told of a run. Never throws for what a rule answered. */
export function evaluationOf(ran: Ran, reading: Reading): Evaluation {
  const { rule, facts } = reading
  const { evaluation, counts, strike } = ran.answer === null ? without(ran) : withAnswer(ran, ran.answer, reading)
  const recorded = reading.request.keeps === true ? recordedOf(rule, facts, ran.reads) : undefined
  // With one spread, in front: this is done for each rule of each message, and others take several times as long.
  const told: Evaluation = { ...evaluation, evidence: evidenceOf(rule, ran), ms: ran.ms }
  if (counts === undefined && strike === undefined && recorded === undefined) return told
  return { ...told, ...(counts && { counts }), ...(strike && { strike }), ...(recorded && { recorded }) }
}

interface Read {
  readonly evaluation: Evaluation
  readonly counts?: Readonly<Record<string, number>> | undefined
  readonly strike?: string | undefined
}

const without = (ran: Ran): Read => ({ evaluation: undecided(reasonOf(ran)), strike: strikeOf(ran) })

function withAnswer(ran: Ran, answer: RuleAnswer, reading: Reading): Read {
  const counts = countsOf(uncountedBy(answer, reading))
  try {
    return { evaluation: read(answer, reading), counts, strike: latenessOf(ran, reading.rule) }
  } catch (thrown) {
    const why = thrown instanceof Fault ? thrown.message : 'what it answers cannot be done to the message'
    return { evaluation: undecided(why), strike: `answer: ${why}` }
  }
}

const reasonOf = ({ failure }: Ran): string => failure?.message ?? 'it gave no answer'
/** Strikes go to alerts: what a module says of itself may be what stood in a message. */
function strikeOf({ failure }: Ran): string | undefined {
  if (failure === null || failure.kind === 'refused') return undefined
  const { kind, message } = failure
  const words = kind === 'error' ? 'it ended with an error of its own' : message
  return `${kind}: ${words}`.slice(0, LONGEST_STRIKE)
}

const LONGEST_STRIKE = 200

/** Units of fuel that even the slowest code uses in a millisecond, a quarter of it: whoever used less was kept waiting by others. */
const LEAST_FUEL_PER_MS = 5_000

function latenessOf({ ms, fuel }: Ran, { build }: Prepared): string | undefined {
  const { limits, manifest } = build.module
  if (ms <= limits.deadlineMs) return undefined
  // A look for a pattern may take longer than its fuel tells.
  if (fuel < ms * LEAST_FUEL_PER_MS && !manifest.capabilities.includes('regex')) return undefined
  return `late: took ${Math.round(ms)} ms, more than its ${limits.deadlineMs}`
}

/** Findings that core counts by itself are not told twice. */
function uncountedBy(answer: RuleAnswer, reading: Reading): readonly RuleFinding[] {
  const findings = answer.findings ?? []
  return decisionOf(answer, reading) === 'findings' ? findings.filter((one) => !isPlaced(one)) : findings
}

function read(answer: RuleAnswer, reading: Reading): Evaluation {
  const { leaves } = reading.request
  for (const finding of answer.findings ?? []) if (isPlaced(finding)) spanOf(finding, leaves)
  const decision = decisionOf(answer, reading)
  switch (decision) {
    case 'findings':
      return {
        verdict: 'findings',
        findings: (answer.findings ?? []).filter(isPlaced).map((one) => spanOf(one, leaves)),
      }
    case 'pass':
      return { verdict: 'pass' }
    case 'block':
      return { verdict: 'block', reason: answer.reason ?? '' }
    case 'modify':
      return { verdict: 'modify', patch: { message: changed(answer, reading) } }
    case 'undecided':
      return undecided(answer.reason ?? 'the rule could not tell')
    default:
      return never(decision)
  }
}

function changed({ message, texts }: RuleAnswer, { request }: Reading): Json {
  if (message !== undefined) return withMarks(message, request.message) as Json
  if (texts === undefined) throw new Fault('a modify that says nothing to put in the place')
  const values = request.leaves.filter(({ kind }) => kind === 'value').length
  if (texts.some(({ text }) => text >= values)) throw new Fault('another text for one that is not there')
  return request.rewrite(new Map(texts.map(({ text, value }) => [text, value])))
}

/** Without places it is all of the text. Keys stand behind the values. */
function spanOf({ type, text, key, start = 0, end, score = 1 }: RuleFinding, leaves: readonly Leaf[]): Finding {
  const leaf = text ?? leaves.filter(({ kind }) => kind === 'value').length + (key ?? 0)
  const wanted = text === undefined ? 'key' : 'value'
  const found = leaves[leaf]
  const until = end ?? found?.text.length ?? 0
  if (found?.kind !== wanted || start < 0 || start >= until || until > found.text.length)
    throw new Fault('a finding outside of its text')
  return { type, leaf, start, end: until, score }
}
