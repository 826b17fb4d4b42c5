import type { RuleAnswer, RuleFinding, RuleInput } from '@gatehouse/sdk/rule-abi'

/** The answer with its findings counted in UTF-16. What is no place of a text stays as it is: it is refused where places are checked. */
export function inUtf16(answer: RuleAnswer, { texts = [], keys = [] }: RuleInput): RuleAnswer {
  const places = new Map<string, (byte: number) => number>()
  const placeIn = (text: string) => {
    const known = places.get(text) ?? unitsOf(text)
    places.set(text, known)
    return known
  }
  const convert = (finding: RuleFinding): RuleFinding => {
    const text = finding.text === undefined ? keys[finding.key ?? -1] : texts[finding.text]
    if (text === undefined) return finding
    const place = placeIn(text)
    return {
      ...finding,
      ...(finding.start !== undefined && { start: place(finding.start) }),
      ...(finding.end !== undefined && { end: place(finding.end) }),
    }
  }
  return { ...answer, unit: 'utf16', findings: answer.findings?.map(convert) }
}

const NOWHERE = Number.MAX_SAFE_INTEGER

/** From bytes to UTF-16 code units; a byte inside of a character or behind the text is nowhere. */
function unitsOf(text: string): (byte: number) => number {
  const size = Buffer.byteLength(text)
  if (size === text.length) return (byte) => byte
  const units = new Float64Array(size + 1).fill(NOWHERE)
  let byte = 0
  let unit = 0
  for (const sign of text) {
    units[byte] = unit
    byte += Buffer.byteLength(sign)
    unit += sign.length
  }
  units[byte] = unit
  return (at) => units[at] ?? NOWHERE
}
