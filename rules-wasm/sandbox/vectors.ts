import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '@gatehouse/sdk'
import type { RuleAnswer, RuleVector } from '@gatehouse/sdk/rule-abi'
import { encodeInput, inputOf, replaceTexts } from './input.js'
import { notRun } from './not-run.js'
import { openRule } from './open.js'
import type { Ran, RuleModule } from './types.js'

export interface VectorResult {
  readonly name: string
  readonly ok: boolean
  /** What came otherwise than expected. */
  readonly problem: string | null
  readonly ran: Ran
}

/** Runs the vectors of a rule's manifest, each in a rule opened anew, with the limits of production. Has no deadline of its own. */
export async function runVectors(module: RuleModule): Promise<readonly VectorResult[]> {
  const results: VectorResult[] = []
  for (const vector of module.manifest.vectors) {
    const ran = await runVector(module, vector)
    const problem = compare(vector, ran)
    results.push({ name: vector.name, ok: problem === null, problem, ran })
  }
  return results
}

async function runVector(module: RuleModule, { input, config, kv }: RuleVector): Promise<Ran> {
  try {
    const rule = await openRule(module, config)
    const bytes = encodeInput(inputOf(input), module.manifest.input)
    const ran = await rule.run({ input: bytes, kv: module.manifest.stateful ? new Map(Object.entries(kv)) : null })
    rule.close()
    return ran
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    return notRun({ kind: 'trap', message: `could not be opened: ${why}` })
  }
}

function compare({ input, expect }: RuleVector, { answer, failure }: Ran): string | null {
  if (answer === null) return `expected ${expect.verdict}, but ${failure?.message ?? 'it failed'}`
  if (answer.verdict !== expect.verdict) return `expected ${expect.verdict}, got ${answer.verdict}${why(answer)}`
  if (expect.reason !== undefined && answer.reason !== expect.reason)
    return `expected the reason ${JSON.stringify(expect.reason)}, got ${JSON.stringify(answer.reason)}`
  const found = countTypes(answer)
  if (expect.findings !== undefined && !isDeepStrictEqual(found, { ...expect.findings }))
    return `expected the findings ${JSON.stringify(expect.findings)}, got ${JSON.stringify(found)}`
  const message = messageAfter(input, answer)
  if (expect.message !== undefined && !isDeepStrictEqual(message, expect.message))
    return `expected the message ${JSON.stringify(expect.message)}, got ${JSON.stringify(message)}`
  return null
}

const why = ({ reason }: RuleAnswer): string => (reason === undefined ? '' : `: ${reason}`)

function countTypes({ findings = [] }: RuleAnswer): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { type } of findings) counts.set(type, (counts.get(type) ?? 0) + 1)
  return Object.fromEntries(counts)
}

function messageAfter({ leg, message }: RuleVector['input'], answer: RuleAnswer): JsonObject {
  if (answer.verdict !== 'modify') return message as JsonObject
  const changed = new Map(answer.texts?.map(({ text, value }) => [text, value]))
  return answer.message ?? replaceTexts(message as JsonObject, leg, changed)
}
