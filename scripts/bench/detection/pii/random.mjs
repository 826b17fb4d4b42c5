/** A generator of numbers that is the same on every machine (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count) => Math.floor(next() * count)
  const pick = (list) => list[below(list.length)]
  return {
    next,
    below,
    pick,
    /** From `low` to `high`, both included. */
    between: (low, high) => low + below(high - low + 1),
    chance: (part) => next() < part,
    digits: (count) => Array.from({ length: count }, () => below(10)).join(''),
    letters: (count, from = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') =>
      Array.from({ length: count }, () => from[below(from.length)]).join(''),
    /** Fills a pattern: `#` a digit, `@` a capital letter. */
    shape: (pattern) =>
      pattern.replaceAll(/[#@]/g, (sign) => (sign === '#' ? String(below(10)) : String.fromCharCode(65 + below(26)))),
    shuffle(list) {
      const mixed = [...list]
      for (let at = mixed.length - 1; at > 0; at -= 1) {
        const other = below(at + 1)
        ;[mixed[at], mixed[other]] = [mixed[other], mixed[at]]
      }
      return mixed
    },
  }
}
