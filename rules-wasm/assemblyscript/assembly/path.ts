import { Text, textOf } from './text'
import { Value } from './value'

const enum Step {
  /** A member of that name. */
  Name,
  /** An item of that number. */
  Item,
  /** All members or items. */
  All,
  /** That value and all beneath it. */
  Deep,
}

/**
 * A way into a message: `arguments.query`, `content[0].text`, `rows[*].ssn`, `..password` (at any depth), `["odd name"]`. A leading
 * `$` may stand or not. A path that is none traps: a rule that cannot look where it should must not go on.
 */
@final
export class Path {
  private steps: Step[] = []
  private names: string[] = []
  private items: i32[] = []

  constructor(path: string) {
    const text = textOf(path)
    let at = text.byteAt(0) === 36 ? 1 : 0
    while (at < text.length) at = this.read(text, at)
  }

  /** All values that it leads to, in the order of the message. */
  select(root: Value): Value[] {
    const found: Value[] = []
    if (root.exists) this.walk(root, 0, found)
    return found
  }

  /** The name at its end; empty if it ends in none. */
  get lastName(): string {
    const last = this.steps.length - 1
    return last >= 0 && this.steps[last] === Step.Name ? this.names[last] : ''
  }

  /** Where its last step begins from. */
  selectParents(root: Value): Value[] {
    const found: Value[] = []
    const step = this.steps.pop()
    if (root.exists) this.walk(root, 0, found)
    this.steps.push(step)
    return found
  }

  private walk(value: Value, index: i32, found: Value[]): void {
    if (index === this.steps.length) {
      found.push(value)
      return
    }
    const step = this.steps[index]
    if (step === Step.Item) {
      const item = value.at(this.items[index])
      if (item.exists) this.walk(item, index + 1, found)
      return
    }
    if (step === Step.Name) return this.walkNamed(value, index, found)
    if (step === Step.Deep) this.walk(value, index + 1, found)
    for (let child = value.first(); child.exists; child = child.next()) {
      this.walk(child, step === Step.Deep ? index : index + 1, found)
    }
  }

  /** Every member of the name: which of several counts, each reader decides for itself. */
  private walkNamed(value: Value, index: i32, found: Value[]): void {
    if (!value.isObject) return
    for (let member = value.first(); member.exists; member = member.next()) {
      if (member.isNamed(this.names[index])) this.walk(member, index + 1, found)
    }
  }

  private read(text: Text, from: i32): i32 {
    let at = from
    if (text.byteAt(at) === 91) return this.readBracket(text, at + 1)
    if (text.byteAt(at) === 46) {
      at += 1
      if (text.byteAt(at) === 46) {
        this.add(Step.Deep, '', 0)
        at += 1
        if (text.byteAt(at) === 91) return at
      }
    } else if (from > 0) throw new Error('not a path')
    const start = at
    while (at < text.length && text.byteAt(at) !== 46 && text.byteAt(at) !== 91) at += 1
    const name = text.slice(start, at)
    if (name.isEmpty) throw new Error('not a path')
    if (name.equals('*')) this.add(Step.All, '', 0)
    else this.add(Step.Name, name.toString(), 0)
    return at
  }

  private readBracket(text: Text, from: i32): i32 {
    const quote = text.byteAt(from)
    if (quote === 34 || quote === 39) {
      let at = from + 1
      while (at < text.length && text.byteAt(at) !== quote) at += 1
      if (text.byteAt(at + 1) !== 93) throw new Error('not a path')
      this.add(Step.Name, text.slice(from + 1, at).toString(), 0)
      return at + 2
    }
    const end = text.indexOf(']', from)
    if (end <= from) throw new Error('not a path')
    if (text.slice(from, end).equals('*')) this.add(Step.All, '', 0)
    else this.add(Step.Item, '', wholeNumber(text.slice(from, end)))
    return end + 1
  }

  private add(step: Step, name: string, item: i32): void {
    this.steps.push(step)
    this.names.push(name)
    this.items.push(item)
  }
}

function wholeNumber(text: Text): i32 {
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.byteAt(i) - 48
    if (<u32>digit > 9 || value > 100_000_000) throw new Error('not a path')
    value = value * 10 + digit
  }
  return value
}
