import { Text } from '@gatehouse/rule-assemblyscript/assembly'

// How random a token looks: Shannon's entropy of its letters and digits, and how often their kind changes.

const counts = new StaticArray<i32>(128)

export class Score {
  /** Bits for each letter or digit. */
  entropy: f64 = 0
  /** Changes between capitals, small letters and digits, for each pair of neighbours. */
  changes: f64 = 0
  digits: i32 = 0
  letters: i32 = 0
  /** The longest part without a separator. */
  longest: i32 = 0
  isHex: bool = true
}

export function score(text: Text, start: i32, end: i32): Score {
  const score = new Score()
  for (let i = 0; i < 128; i++) counts[i] = 0
  let before = 0
  let changed = 0
  let part = 0
  for (let i = start; i < end; i++) {
    const c = text.byteAt(i)
    const kind = kindOf(c)
    if (kind == 0) {
      if (c != 0x2d || part == 0) score.isHex = false
      part = 0
      continue
    }
    part++
    if (part > score.longest) score.longest = part
    // A capital before small letters begins a word: that is no change.
    if (before != 0 && kind != before && !(before == 2 && kind == 3)) changed++
    before = kind
    counts[c] += 1
    if (kind == 1) score.digits++
    else score.letters++
    if (kind != 1 && !((c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46))) score.isHex = false
  }
  const total = score.digits + score.letters
  if (total > 1) score.changes = <f64>changed / <f64>(total - 1)
  score.entropy = entropyOf(<f64>total)
  return score
}

function entropyOf(total: f64): f64 {
  let sum: f64 = 0
  for (let i = 0x30; i < 128; i++) {
    const count = counts[i]
    if (count == 0) continue
    const share = <f64>count / total
    sum -= share * log2(share)
  }
  return sum
}

/** 1: digit, 2: capital, 3: small letter, 0: neither. */
function kindOf(c: i32): i32 {
  if (c >= 0x30 && c <= 0x39) return 1
  if (c >= 0x41 && c <= 0x5a) return 2
  if (c >= 0x61 && c <= 0x7a) return 3
  return 0
}

/** The logarithm to base 2 of a share between 0 and 1: exact to 1e-6, and the same on every machine. */
function log2(share: f64): f64 {
  let whole: f64 = 0
  let x = share
  while (x < 1) {
    x *= 2
    whole -= 1
  }
  const t = (x - 1) / (x + 1)
  const t2 = t * t
  return (
    whole + 2.8853900817779268 * t * (1 + t2 * (1 / 3.0 + t2 * (1 / 5.0 + t2 * (1 / 7.0 + t2 * (1 / 9.0 + t2 / 11.0)))))
  )
}
