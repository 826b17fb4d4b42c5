import type { RuleAnswer, RuleFinding } from '@gatehouse/sdk/rule-abi'
import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'

type Parts = Readonly<Record<string, unknown>>
type Draft<Type> = { -readonly [Key in keyof Type]: Type[Key] }

/** What the schema `RuleAnswer` makes of a value out of JSON, several times faster; null where it takes longer to say (`shapeAnswer`). */
export function fastAnswer(value: unknown): RuleAnswer | null {
  if (!isObject(value) || value['version'] !== 1) return null
  const { verdict, reason, message, texts, findings, unit } = value
  if (verdict !== 'pass' && verdict !== 'block' && verdict !== 'modify' && verdict !== 'undecided') return null
  const answer: Draft<RuleAnswer> = { version: 1, verdict }
  if (reason !== undefined) {
    if (typeof reason !== 'string' || reason.length > RULE_LIMITS.reasonLength) return null
    answer.reason = reason
  }
  if (message !== undefined) {
    if (!isObject(message)) return null
    answer.message = message as NonNullable<RuleAnswer['message']>
  }
  // Rare, and as long as what they replace: that work does not count beside it.
  if (texts !== undefined) return null
  if (findings !== undefined) {
    const checked = fastFindings(findings)
    if (checked === null) return null
    answer.findings = checked
  }
  if (unit !== undefined) {
    if (unit !== 'utf16' && unit !== 'utf8') return null
    answer.unit = unit
  }
  return answer
}

function fastFindings(value: unknown): readonly RuleFinding[] | null {
  if (!Array.isArray(value) || value.length > RULE_LIMITS.findings) return null
  const findings: RuleFinding[] = []
  for (const item of value as unknown[]) {
    const finding = fastFinding(item)
    if (finding === null) return null
    findings.push(finding)
  }
  return findings
}

function fastFinding(value: unknown): RuleFinding | null {
  if (!isObject(value)) return null
  const { type, text, key, start, end, score } = value
  if (typeof type !== 'string' || type.length === 0 || type.length > 200) return null
  const finding: Draft<RuleFinding> = { type }
  if (text !== undefined) {
    if (!isIndex(text)) return null
    finding.text = text
  }
  if (key !== undefined) {
    if (!isIndex(key)) return null
    finding.key = key
  }
  if (start !== undefined) {
    if (!isIndex(start)) return null
    finding.start = start
  }
  if (end !== undefined) {
    if (!isIndex(end)) return null
    finding.end = end
  }
  if (score === undefined) return finding
  if (typeof score !== 'number' || !(score >= 0 && score <= 1)) return null
  finding.score = score
  return finding
}

const isObject = (value: unknown): value is Parts =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
