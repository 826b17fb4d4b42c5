/** A set of UTF-16 code units: ranges in order, apart from each other. */
export type CharSet = readonly (readonly [low: number, high: number])[]

const LAST = 0xffff
export const DIGITS: CharSet = [[48, 57]]
export const WORDS: CharSet = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]
/** WhiteSpace and LineTerminator of ECMA-262. */
export const SPACES: CharSet = union([
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
])

export function union(ranges: CharSet): CharSet {
  const merged: [number, number][] = []
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else merged.push([low, high])
  }
  return merged
}

export function complement(set: CharSet): CharSet {
  const rest: [number, number][] = []
  let next = 0
  for (const [low, high] of set) {
    if (low > next) rest.push([next, low - 1])
    next = high + 1
  }
  if (next <= LAST) rest.push([next, LAST])
  return rest
}

/** The set with every code unit that the flag `i` (without `u`) takes for one of its own. */
export function foldCase(set: CharSet): CharSet {
  const alike = (variants ??= findVariants())
  const added: [number, number][] = []
  const add = (unit: number) => alike.get(unit)?.forEach((other) => added.push([other, other]))
  const size = set.reduce((sum, [low, high]) => sum + high - low + 1, 0)
  if (size > alike.size) for (const unit of alike.keys()) if (has(set, unit)) add(unit)
  if (size <= alike.size) for (const [low, high] of set) for (let unit = low; unit <= high; unit += 1) add(unit)
  return added.length === 0 ? set : union([...set, ...added])
}

export function has(set: CharSet, unit: number): boolean {
  let low = 0
  let high = set.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [from, to] = set[middle] as readonly [number, number]
    if (unit < from) high = middle - 1
    else if (unit > to) low = middle + 1
    else return true
  }
  return false
}

let variants: ReadonlyMap<number, readonly number[]> | undefined

/** Code unit -> all that are alike, for those that are not alone. Found by the language's own rule. */
function findVariants(): ReadonlyMap<number, readonly number[]> {
  const byCanonical = new Map<number, number[]>()
  for (let unit = 0; unit <= LAST; unit += 1) {
    const canonical = canonicalize(unit)
    const alike = byCanonical.get(canonical)
    if (alike === undefined) byCanonical.set(canonical, [unit])
    else alike.push(unit)
  }
  const found = new Map<number, readonly number[]>()
  for (const alike of byCanonical.values()) if (alike.length > 1) for (const unit of alike) found.set(unit, alike)
  return found
}

/** Canonicalize of ECMA-262 for the flag `i` without `u` or `v`. */
function canonicalize(unit: number): number {
  const upper = String.fromCharCode(unit).toUpperCase()
  if (upper.length !== 1) return unit
  const code = upper.charCodeAt(0)
  return unit >= 128 && code < 128 ? unit : code
}
