import { Text } from '@gatehouse/rule-assemblyscript/assembly'
import { BIDI, HIDDEN_TEXT, INVISIBLE, Signals } from './signals'

/** The length in bytes of the sign of no width that begins here: U+200B to U+200D, U+2060 to U+2064, U+FEFF, U+00AD, U+034F, U+180E; 0: none does. */
export function invisibleAt(text: Text, at: i32): i32 {
  const c = text.byteAt(at)
  const second = text.byteAt(at + 1)
  if (c == 0xc2) return second == 0xad ? 2 : 0
  if (c == 0xcd) return second == 0x8f ? 2 : 0
  const third = text.byteAt(at + 2)
  if (c == 0xe2 && second == 0x80) return third >= 0x8b && third <= 0x8d ? 3 : 0
  if (c == 0xe2 && second == 0x81) return third >= 0xa0 && third <= 0xa4 ? 3 : 0
  if (c == 0xe1) return second == 0xa0 && third == 0x8e ? 3 : 0
  return c == 0xef && second == 0xbb && third == 0xbf ? 3 : 0
}

/** Looks at a sign outside of ASCII; answers where to go on. */
export function readSign(text: Text, at: i32, found: Signals): i32 {
  const c = text.byteAt(at)
  if (c == 0xf3 || c == 0xef) {
    const end = readHidden(text, at, found)
    if (end > at) return end
  }
  if (c == 0xe2) readBidi(text, at, found)
  if (c == 0xe1 || c == 0xe2 || c == 0xef || c == 0xc2 || c == 0xcd) return readInvisible(text, at, found)
  return at + sizeOf(c)
}

/** Tags (U+E0000 to U+E007F) spell a text that nobody sees, and so can rows of variation selectors. Flags are made of tags too. */
function readHidden(text: Text, at: i32, found: Signals): i32 {
  const isTag = tagAt(text, at)
  let end = at
  let count = 0
  for (; isTag ? tagAt(text, end) : selectorAt(text, end) > 0; end += isTag ? 4 : selectorAt(text, end)) count++
  if (count == 0) return at
  const isFlag =
    isTag && text.byteAt(at - 4) == 0xf0 && text.byteAt(at - 3) == 0x9f && text.byteAt(at - 2) == 0x8f && count <= 7
  if (isTag ? !isFlag : count > 1) found.add(HIDDEN_TEXT, at, end, 0.9)
  return end
}

function tagAt(text: Text, at: i32): bool {
  return text.byteAt(at) == 0xf3 && text.byteAt(at + 1) == 0xa0 && (text.byteAt(at + 2) & 0xfe) == 0x80
}

/** The length of the variation selector here: U+FE00 to U+FE0F, U+E0100 to U+E01EF. */
function selectorAt(text: Text, at: i32): i32 {
  const c = text.byteAt(at)
  if (c == 0xef) return text.byteAt(at + 1) == 0xb8 && text.byteAt(at + 2) <= 0x8f ? 3 : 0
  return c == 0xf3 && text.byteAt(at + 1) == 0xa0 && (text.byteAt(at + 2) & 0xfc) == 0x84 ? 4 : 0
}

/** U+202D and U+202E turn letters round; the others (U+202A to U+202C, U+2066 to U+2069) are common in languages that run leftwards. */
function readBidi(text: Text, at: i32, found: Signals): void {
  const second = text.byteAt(at + 1)
  const third = text.byteAt(at + 2)
  if (second == 0x80 && (third == 0xad || third == 0xae)) found.add(BIDI, at, at + 3, 0.5)
  else if ((second == 0x80 && third >= 0xaa && third <= 0xac) || (second == 0x81 && third >= 0xa6 && third <= 0xa9)) {
    found.add(BIDI, at, at + 3, 0.1)
  }
}

/** Looks at signs of no width; answers where to go on. */
export function readInvisible(text: Text, at: i32, found: Signals): i32 {
  let end = at
  let count = 0
  for (let size = invisibleAt(text, end); size > 0; size = invisibleAt(text, end)) {
    end += size
    count++
  }
  if (count == 0) return at + sizeOf(text.byteAt(at))
  if (count > 3) found.add(INVISIBLE, at, end, 0.5)
  return end
}

function sizeOf(first: i32): i32 {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}
