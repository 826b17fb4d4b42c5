import type { RuleAnswer } from '@gatehouse/sdk/rule-abi'
import { shapeAnswer } from './answer-shape.js'
import { fastAnswer } from './fast-answer.js'
import { RuleFault } from './fault.js'
import { isTorn } from './text.js'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const mostDeep = 512

/** The answer of a rule out of its bytes. Throws `RuleFault` (`answer`) for whatever is not one. */
export function readAnswer(bytes: Uint8Array): RuleAnswer {
  let text: string
  try {
    text = strict.decode(bytes)
  } catch {
    throw new RuleFault('answer', 'answered what is no UTF-8')
  }
  return parseAnswer(text)
}

/** The same out of a text. */
export function parseAnswer(text: string): RuleAnswer {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new RuleFault('answer', 'answered what is no JSON')
  }
  const answer = fastAnswer(value) ?? shapeAnswer(value)
  // Half a character cannot come as UTF-8, only as an escape.
  if (answer.message !== undefined || text.includes('\\u')) checkTexts(answer, 0)
  return answer
}

function checkTexts(value: unknown, depth: number): void {
  if (depth > mostDeep) throw new RuleFault('answer', `answered more than ${mostDeep} levels in one another`)
  if (typeof value === 'string') checkText(value)
  else if (Array.isArray(value)) for (const item of value) checkTexts(item, depth + 1)
  else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      checkText(key)
      checkTexts((value as Record<string, unknown>)[key], depth + 1)
    }
  }
}

function checkText(text: string): void {
  if (isTorn(text)) throw new RuleFault('answer', 'answered half of a character')
}
