/**
 * Does a URI fit an RFC 6570 template? `{var}` stands for anything within one path segment; every other operator is read
 * leniently, as anything at all. Templates come from servers that nobody vouches for, so there is no regular expression
 * here: the work is bounded by parts × length, and both are capped (what is over a cap fits nothing).
 */
export interface UriTemplate {
  readonly parts: readonly Part[]
}
type Part = string | typeof SEGMENT | typeof ANYTHING

const SEGMENT = Symbol('segment')
const ANYTHING = Symbol('anything')
const LONGEST_URI = 2_048
const MOST_PARTS = 21
const STOPS = new Set(['/', '?', '#'])

/** Null when the template is malformed or has more expressions than anyone needs. */
export function compileTemplate(template: string): UriTemplate | null {
  const parts: Part[] = []
  let at = 0
  while (at < template.length) {
    const open = template.indexOf('{', at)
    if (open !== at) parts.push(template.slice(at, open < 0 ? template.length : open))
    if (open < 0) break
    const close = template.indexOf('}', open)
    if (close < 0) return null
    parts.push(/[A-Za-z0-9_%]/.test(template[open + 1] ?? '') ? SEGMENT : ANYTHING)
    at = close + 1
  }
  return parts.length <= MOST_PARTS ? { parts } : null
}

export function fitsTemplate(template: UriTemplate, uri: string): boolean {
  const [first] = template.parts
  if (uri.length > LONGEST_URI || (typeof first === 'string' && !uri.startsWith(first))) return false
  let reached: readonly number[] = [0]
  for (const part of template.parts) {
    reached = typeof part === 'string' ? afterLiteral(part, uri, reached) : afterWildcard(part, uri, reached)
    if (reached.length === 0) return false
  }
  return reached.at(-1) === uri.length
}

function afterLiteral(literal: string, uri: string, from: readonly number[]): number[] {
  return from.filter((at) => uri.startsWith(literal, at)).map((at) => at + literal.length)
}

/** One walk over the URI: open from each start, closed behind a stop. Positions stay sorted and unique. */
function afterWildcard(part: symbol, uri: string, from: readonly number[]): number[] {
  const reached: number[] = []
  let next = 0
  let open = false
  for (let at = from[0] ?? 0; at <= uri.length; at++) {
    if (from[next] === at) {
      open = true
      next += 1
    }
    if (open) reached.push(at)
    if (part === SEGMENT && STOPS.has(uri[at] ?? '')) open = false
  }
  return reached
}
