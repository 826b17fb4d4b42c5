import type { RuleAnswer, RuleFinding } from '@gatehouse/sdk/rule-abi'
import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'
import { RuleFault } from './fault.js'

/**
 * A JSON value as an answer, by the schema `RuleAnswer` of the contract: what is unknown in it is left out. Throws `RuleFault` (`answer`). By
 * hand, for a thread that loads no schemas is begun in a third of the time and holds half of the memory.
 */
export function shapeAnswer(value: unknown): RuleAnswer {
  const answer = objectAt(value, 'it')
  if (answer['version'] !== 1) refuse('version', 'must be 1')
  return {
    version: 1,
    verdict: oneOf(answer['verdict'], VERDICTS, 'verdict'),
    ...maybe('reason', answer['reason'], (reason) => textAt(reason, 'reason', RULE_LIMITS.reasonLength)),
    ...maybe('message', answer['message'], (message) => objectAt(message, 'message') as RuleAnswer['message']),
    ...maybe('texts', answer['texts'], (texts) => listAt(texts, 'texts', MOST_TEXTS).map(replacementAt)),
    ...maybe('findings', answer['findings'], (all) => listAt(all, 'findings', RULE_LIMITS.findings).map(findingAt)),
    ...maybe('unit', answer['unit'], (unit) => oneOf(unit, UNITS, 'unit')),
  }
}

const VERDICTS = ['pass', 'block', 'modify', 'undecided'] as const
const UNITS = ['utf16', 'utf8'] as const
const MOST_TEXTS = 10_000
const LONGEST_TYPE = 200

function replacementAt(item: unknown, at: number): { readonly text: number; readonly value: string } {
  const path = `texts.${at}`
  const { text, value } = objectAt(item, path)
  return { text: placeAt(text, `${path}.text`), value: textAt(value, `${path}.value`) }
}

function findingAt(item: unknown, at: number): RuleFinding {
  const path = `findings.${at}`
  const finding = objectAt(item, path)
  const type = textAt(finding['type'], `${path}.type`, LONGEST_TYPE)
  if (type === '') refuse(`${path}.type`, 'must not be empty')
  return {
    type,
    ...place('text', finding, path),
    ...place('key', finding, path),
    ...place('start', finding, path),
    ...place('end', finding, path),
    ...maybe('score', finding['score'], (score) => scoreAt(score, `${path}.score`)),
  }
}

const place = <K extends string>(key: K, from: Readonly<Record<string, unknown>>, path: string) =>
  maybe(key, from[key], (value) => placeAt(value, `${path}.${key}`))

function maybe<K extends string, T>(key: K, value: unknown, read: (value: unknown) => T): { readonly [Key in K]?: T } {
  return value === undefined ? {} : ({ [key]: read(value) } as { readonly [Key in K]?: T })
}

function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(path, 'must be an object')
  return value as Readonly<Record<string, unknown>>
}

function listAt(value: unknown, path: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) return refuse(path, 'must be a list')
  return value.length > most ? refuse(path, `has more than ${most} entries`) : value
}

function textAt(value: unknown, path: string, most = Infinity): string {
  if (typeof value !== 'string') return refuse(path, 'must be a text')
  return value.length > most ? refuse(path, `has more than ${most} signs`) : value
}

function placeAt(value: unknown, path: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : refuse(path, 'must be a whole number, 0 or more')
}

function scoreAt(value: unknown, path: string): number {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : refuse(path, 'must be 0 to 1')
}

function oneOf<T extends string>(value: unknown, known: readonly T[], path: string): T {
  return known.find((one) => one === value) ?? refuse(path, `must be one of ${known.join(', ')}`)
}

function refuse(path: string, problem: string): never {
  throw new RuleFault('answer', `answered what is no verdict: ${path}: ${problem}`)
}
