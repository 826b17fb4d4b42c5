import { take } from './memory'
import { Text } from './text'

/** How random a text looks: bits for each of its bytes, 0 to 8. */
export function entropy(text: Text): f64 {
  if (text.length === 0) return 0
  const counts = take(1024)
  memory.fill(counts, 0, 1024)
  for (let i = 0; i < text.length; i++) {
    const at = counts + ((<usize>text.byteAt(i)) << 2)
    store<i32>(at, load<i32>(at) + 1)
  }
  let bits: f64 = 0
  for (let byte: usize = 0; byte < 256; byte++) {
    const count = <f64>load<i32>(counts + (byte << 2))
    if (count > 0) bits -= count * Math.log2(count / <f64>text.length)
  }
  return bits / <f64>text.length
}
