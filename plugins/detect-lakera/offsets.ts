/** A stretch of a text as the service counts it; `text` is what it says stands there. */
interface Told {
  readonly start: number
  readonly end: number
  readonly text?: string | undefined
}
interface Units {
  readonly start: number
  readonly end: number
}

/**
 * The stretches in UTF-16 units. The service counts code points. Where it says what stands at a place, that decides: units are tried
 * when code points do not fit. Null when a place lies outside of the text or holds something else than was said.
 */
export function toUnits(text: string, told: readonly Told[]): readonly Units[] | null {
  const starts = unitsOfPoints(text)
  const byPoints = all(told, ({ start, end }) => unitsAt(starts, start, end), text)
  return byPoints ?? all(told, ({ start, end }) => (end <= text.length ? { start, end } : null), text)
}

function all(told: readonly Told[], read: (one: Told) => Units | null, text: string): readonly Units[] | null {
  const found: Units[] = []
  for (const one of told) {
    const units = read(one)
    if (units === null || units.start >= units.end) return null
    if (one.text !== undefined && text.slice(units.start, units.end) !== one.text) return null
    found.push(units)
  }
  return found
}

/** Where each code point begins, and the end of the text. */
function unitsOfPoints(text: string): readonly number[] {
  const starts: number[] = []
  let at = 0
  for (const point of text) {
    starts.push(at)
    at += point.length
  }
  return [...starts, at]
}

function unitsAt(starts: readonly number[], from: number, to: number): Units | null {
  const start = starts[from]
  const end = starts[to]
  return start === undefined || end === undefined ? null : { start, end }
}
