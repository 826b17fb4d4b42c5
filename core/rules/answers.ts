import { isDeepStrictEqual } from 'node:util'
import type { Evaluation, FeatureKind, Finding, Json, JsonObject, Leaf } from '@gatehouse/sdk'
import { undecided } from '@gatehouse/sdk'
import { isWithin } from '../domain/actions.js'
import type { Leg } from './shape.js'

/** The answer of an engine if it can be believed, else an `undecided` that says what is wrong with it. */
export function checkAnswer(answer: Evaluation | undefined, leaves: readonly Leaf[]): Evaluation {
  switch (answer?.verdict) {
    case 'pass':
    case 'undecided':
      return answer
    case 'block':
      return typeof answer.reason === 'string' ? answer : undecided('a block without a reason')
    case 'modify':
      return typeof answer.patch === 'object' && answer.patch !== null ? answer : undecided('a modify without a patch')
    case 'findings':
      return checkFindings(answer, answer.findings, leaves)
    default:
      return undecided('an answer without a known verdict')
  }
}

/** Past this many core would spend more on them than on the call. */
const MOST_FINDINGS = 100_000
/** Longer is no name of what was found, and might be the thing itself. */
const LONGEST_TYPE = 200

function checkFindings(answer: Evaluation, findings: readonly Finding[], leaves: readonly Leaf[]): Evaluation {
  if (!Array.isArray(findings)) return undecided('findings that are no list')
  if (findings.length > MOST_FINDINGS) return undecided('more findings than a message can have')
  for (const finding of findings) {
    const leaf = leaves[finding?.leaf]
    if (leaf === undefined || typeof finding.type !== 'string' || !isWithin(finding, leaf.text.length)) {
      return undecided('a finding outside of its text')
    }
    if (finding.type.length > LONGEST_TYPE) return undecided('a finding whose type is too long')
  }
  return answer
}

/**
 * The message an engine wants in place of the present one, or null when it may not have it: a call keeps its name and
 * its envelope, arguments stay an object, a result stays an object of its kind. What is said aside (see `isAside`) stays there.
 */
export function checkMessage(before: JsonObject, wanted: Json, leg: Leg, kind: FeatureKind): JsonObject | null {
  if (!isObject(wanted)) return null
  if (isAside(before) && !isObject(wanted['structuredContent'])) return null
  if (leg === 'response') return wanted['resultType'] === before['resultType'] ? wanted : null
  const identity = kind === 'resource' ? 'uri' : 'name'
  if (wanted[identity] !== before[identity]) return null
  // A change that cannot be made is not left out: the engine may have taken away just that.
  const isKept = (key: string) => CHANGEABLE.has(key) || isDeepStrictEqual(wanted[key], before[key])
  if (!Object.keys(wanted).every(isKept)) return null
  const changed: Record<string, Json | undefined> = { ...before }
  for (const field of CHANGEABLE) {
    const given = wanted[field]
    if (given !== undefined && !isObject(given)) return null
    if (given !== undefined) changed[field] = given
    else delete changed[field]
  }
  return changed
}

/** The fields of a call's params that an engine may change; the last is that of what is said aside. */
export const CHANGEABLE: ReadonlySet<string> = new Set(['arguments', 'inputResponses', 'structuredContent'])

/** Notes, questions, their answers and errors are shown to rules as the structured content of nothing else. */
const isAside = (message: JsonObject) =>
  isObject(message['structuredContent']) && message['content'] === undefined && message['name'] === undefined

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
