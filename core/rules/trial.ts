import type { Artifact, ConfigError, Evaluation, Finding, Json, Leaf, TestAnswer } from '@gatehouse/sdk'
import { never } from '@gatehouse/sdk'
import { settleSpans, wholeCharacters } from '../domain/actions.js'
import type { TextChange } from '../domain/actions.js'
import type { FoundEngine } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'
import { checkAnswer } from './answers.js'
import { demands, engineKeys } from './demands.js'
import type { Engines } from './engines.js'
import { changeText } from './json-text.js'
import { lacking, told } from './prepare.js'
import type { Leg } from './shape.js'

/** A rule, or what will be one, on one text. Nothing is recorded. */
export interface TrialRequest {
  readonly engine: FoundEngine
  /** The version of one that the rule names; null when it names none. */
  readonly artifact: Artifact | null
  readonly action: Rule['action']
  readonly config: Rule['config']
  readonly leg: Leg
  readonly text: string
}

/** What the rule would make of the text. */
export interface Trial {
  readonly verdict: 'pass' | 'modify' | 'block' | 'detect' | 'undecided'
  /** What the engine gives as the reason of a block, or why it could not decide. */
  readonly reason: string | null
  readonly findings: readonly Pick<Finding, 'type' | 'start' | 'end' | 'score'>[]
  readonly before: string
  /** Null when nothing would go on. */
  readonly after: string | null
  readonly notes: readonly string[]
  readonly ms: number
  /** What is wrong with what the rule or the engine says: then nothing was tried. */
  readonly errors: readonly ConfigError[]
}

/** Asks the engine and does to the text what core would do. An engine that fails leaves it `undecided`. */
export async function tryRule(
  engines: Engines,
  request: TrialRequest,
  changeOf: (rule: Pick<Rule, 'action' | 'config'>) => TextChange | null,
): Promise<Trial> {
  const { engine, action, text } = request
  const shown: Trial = {
    verdict: 'pass',
    reason: null,
    findings: [],
    before: text,
    after: text,
    notes: [],
    ms: 0,
    errors: [],
  }
  const errors = [...demands(engine.kind, request), ...lacking(engine.kind, request.artifact)]
  if (errors.length > 0) return { ...shown, verdict: 'undecided', after: null, errors }
  const started = performance.now()
  const answer = await ask(engines, request)
  const ms = Math.round((performance.now() - started) * 10) / 10
  if (!answer.ok) return { ...shown, verdict: 'undecided', after: null, ms, errors: answer.errors }
  const leaves: readonly Leaf[] = [{ kind: 'value', text }]
  const outcome = judge(checkAnswer(answer.evaluation, leaves), request, changeOf({ action, config: request.config }))
  return { ...shown, ...outcome, notes: answer.notes ?? [], ms }
}

async function ask(engines: Engines, request: TrialRequest): Promise<TestAnswer> {
  const { engine, artifact, action, leg, text } = request
  const asked = { config: engineKeys(request), action, instance: told(engine.instance), leg, text }
  try {
    return await engines.test(engine.kind.kind, artifact === null ? asked : { ...asked, artifact })
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : 'the engine failed'
    return { ok: true, evaluation: { verdict: 'undecided', message } }
  }
}

function judge(answer: Evaluation, { action, leg, text }: TrialRequest, change: TextChange | null): Partial<Trial> {
  switch (answer.verdict) {
    case 'pass':
      return {}
    case 'undecided':
      return { verdict: 'undecided', reason: answer.message, after: null }
    case 'block':
      if (action === 'detect') return { verdict: 'detect', reason: answer.reason }
      return { verdict: 'block', reason: answer.reason, after: null }
    case 'modify':
      if (action === 'block')
        return { verdict: 'undecided', reason: 'a changed message, but the rule is to block', after: null }
      return { verdict: action === 'detect' ? 'detect' : 'modify', after: textOf(answer.patch.message, leg) }
    case 'findings':
      return judgeFindings(answer.findings, { action, text, change })
    default:
      return never(answer)
  }
}

function judgeFindings(
  found: readonly Finding[],
  { action, text, change }: Pick<TrialRequest, 'action' | 'text'> & { readonly change: TextChange | null },
): Partial<Trial> {
  if (found.length === 0) return {}
  const findings = found.map(({ type, start, end, score }) => ({ type, start, end, score }))
  if (action === 'block') return { verdict: 'block', findings, after: null }
  if (change === null) return { verdict: 'detect', findings }
  return { verdict: 'modify', findings, after: changeText(text, settleSpans(wholeCharacters(text, found)), change) }
}

/** The text in the message that an engine of verdicts gave back; the whole of it when it has another shape by now. */
function textOf(message: Json, leg: Leg): string {
  const seen = message as { arguments?: { text?: unknown }; content?: readonly { text?: unknown }[] } | null
  const text = leg === 'request' ? seen?.arguments?.text : seen?.content?.[0]?.text
  return typeof text === 'string' ? text : JSON.stringify(message)
}
