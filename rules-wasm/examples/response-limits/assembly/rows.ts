import { parse, Text, Value } from '@gatehouse/rule-assemblyscript/assembly'

/** What a text is made of, as far as rows go. */
export const PLAIN: i32 = 0
export const JSON: i32 = 1
/** Lines of Markdown, of CSV, or of JSON, one row each. */
export const LINES: i32 = 2

@final
export class Rows {
  kind: i32 = PLAIN
  count: i32 = 0
  /** Of lines: how many before the first row. */
  before: i32 = 0
  json: Value

  constructor(readonly text: Text) {
    const first = text.trim().byteAt(0)
    this.json = parse(first == 0x7b || first == 0x5b ? text : new Text(text.at, 0))
    if (this.json.exists) {
      this.kind = JSON
      this.count = longest(this.json)
    } else this.readLines()
  }

  /** Where the row of this number (from 0) begins. */
  startOf(row: i32): i32 {
    let line = 0
    for (let at = 0; at < this.text.length; at = nextLine(this.text, at)) {
      if (line++ == this.before + row) return at
    }
    return this.text.length
  }

  private readLines(): void {
    const text = this.text
    const sign = separatorOf(text)
    if (sign == 0) return
    let lines = 0
    let rules = 0
    for (let at = 0; at < text.length; at = nextLine(text, at)) {
      const kind = lineKind(text, at, sign)
      if (kind == 0) break
      if (kind == 2) rules++
      lines++
    }
    if (lines < LEAST_LINES) return
    this.kind = LINES
    // A head, and of Markdown the rule below it.
    this.before = sign == 0x7b ? 0 : 1 + rules
    this.count = max(0, lines - this.before)
  }
}

/** Of the first line, so much is looked at. */
const LONGEST_HEAD: i32 = 2048
/** No need to count further. */
const ENOUGH: i32 = 2
/** Fewer lines are no table. */
const LEAST_LINES: i32 = 4

/** The number of items of the longest array in it. */
export function longest(value: Value): i32 {
  let most = 0
  if (!value.isArray && !value.isObject) return 0
  let count = 0
  for (let child = value.first(); child.exists; child = child.next()) {
    count++
    most = max(most, longest(child))
  }
  return value.isArray ? max(most, count) : most
}

/** What parts the first line: `|`, a tab, `;`, `,`, or `{` for a line of JSON; 0: it is no row. */
function separatorOf(text: Text): i32 {
  const first = text.byteAt(0)
  if (first == 0x7c || first == 0x7b) return first
  const line = text.slice(0, LONGEST_HEAD)
  if (countIn(line, 0, 0x09) > 0) return 0x09
  if (countIn(line, 0, 0x3b) > 1) return 0x3b
  return countIn(line, 0, 0x2c) > 1 ? 0x2c : 0
}

/** 0: no row, 1: a row, 2: the rule below the head of a Markdown table. */
function lineKind(text: Text, at: i32, sign: i32): i32 {
  if (sign == 0x7b) return text.byteAt(at) == 0x7b ? 1 : 0
  if (sign == 0x7c) {
    if (text.byteAt(at) != 0x7c) return 0
    const c = text.byteAt(at + 1)
    const after = text.byteAt(at + 2)
    return (c == 0x2d || c == 0x3a || c == 0x20) && (after == 0x2d || after == 0x3a) ? 2 : 1
  }
  return countIn(text, at, sign) >= (sign == 0x09 ? 1 : 2) ? 1 : 0
}

function countIn(text: Text, from: i32, sign: i32): i32 {
  const base = text.at
  const size = text.length
  let count = 0
  for (let i = from; i < size; i++) {
    const c = <i32>load<u8>(base + i)
    if (c == 0x0a) break
    if (c == sign && ++count == ENOUGH) break
  }
  return count
}

function nextLine(text: Text, at: i32): i32 {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}
