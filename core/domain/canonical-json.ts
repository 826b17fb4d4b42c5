/**
 * The canonical text of a JSON value (RFC 8785): keys in order of their UTF-16 units, numbers and texts as ECMAScript writes
 * them. Texts are taken exactly as they are: neither normalised nor trimmed. The value must nest no deeper than a message may.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  // The order of code units is the one that comparing strings has (RFC 8785, section 3.2.3).
  const sorted = entries.toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{${sorted.map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one)}`).join(',')}}`
}
