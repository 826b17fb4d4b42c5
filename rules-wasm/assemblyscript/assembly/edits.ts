import { Buffer } from './memory'
import { Kind, Tape } from './tape'
import { Value } from './value'
import { writeString } from './write'

const enum Change {
  Replace,
  Remove,
  /** A new member at the end of an object; the token is that of the object's end. */
  Add,
}

@final
class Edit {
  constructor(
    public token: i32,
    public change: Change,
    public json: Buffer,
    public name: string,
  ) {}
}

/** Changes to a JSON value, kept in the order of the text, so that what is not touched is copied as it came. */
@final
export class Edits {
  private list: Edit[] = []
  private cursor: i32 = 0

  get isEmpty(): bool {
    return this.list.length === 0
  }

  replace(value: Value, json: Buffer): void {
    this.put(new Edit(value.token, Change.Replace, json, ''))
  }

  remove(value: Value): void {
    this.put(new Edit(value.token, Change.Remove, new Buffer(0), ''))
  }

  add(object: Value, name: string, json: Buffer): void {
    this.put(new Edit(object.tape.end(object.token) - 1, Change.Add, json, name))
  }

  write(out: Buffer, value: Value): void {
    this.cursor = 0
    while (this.cursor < this.list.length && this.list[this.cursor].token < value.token) this.cursor += 1
    this.writeToken(out, value.tape, value.token)
  }

  /** The later change of the same place wins. */
  private put(edit: Edit): void {
    let at = this.list.length
    while (at > 0 && this.list[at - 1].token > edit.token) at -= 1
    for (let i = at; i > 0 && this.list[i - 1].token === edit.token; i--) {
      if (this.list[i - 1].name !== edit.name) continue
      this.list[i - 1] = edit
      return
    }
    this.list.push(edit)
    for (let i = this.list.length - 1; i > at; i--) this.list[i] = this.list[i - 1]
    this.list[at] = edit
  }

  private writeToken(out: Buffer, tape: Tape, token: i32): void {
    const next = tape.next(token)
    if (this.cursor === this.list.length || this.list[this.cursor].token >= next) {
      const start = tape.start(token)
      out.bytes(tape.source + start, tape.stop(token) - start)
      return
    }
    const edit = this.list[this.cursor]
    if (edit.token !== token) return this.writeItems(out, tape, token)
    if (edit.change === Change.Replace) out.bytes(edit.json.at, edit.json.length)
    this.skipTo(next)
  }

  private writeItems(out: Buffer, tape: Tape, token: i32): void {
    const isObject = tape.kind(token) === Kind.Object
    out.byte(isObject ? 123 : 91)
    let isFirst = true
    let item = token + 1
    while (tape.kind(item) !== Kind.Close) {
      const value = isObject ? item + 1 : item
      const next = tape.next(value)
      if (this.removes(value)) this.skipTo(next)
      else {
        if (!isFirst) out.byte(44)
        isFirst = false
        if (isObject) {
          const start = tape.start(item)
          out.bytes(tape.source + start, tape.stop(item) - start)
          out.byte(58)
        }
        this.writeToken(out, tape, value)
      }
      item = next
    }
    this.writeAdded(out, item, isFirst)
    out.byte(isObject ? 125 : 93)
  }

  private writeAdded(out: Buffer, close: i32, isEmpty: bool): void {
    let isFirst = isEmpty
    for (; this.cursor < this.list.length && this.list[this.cursor].token === close; this.cursor++) {
      const edit = this.list[this.cursor]
      if (!isFirst) out.byte(44)
      isFirst = false
      writeString(out, edit.name)
      out.byte(58)
      out.bytes(edit.json.at, edit.json.length)
    }
  }

  private removes(token: i32): bool {
    if (this.cursor === this.list.length) return false
    const edit = this.list[this.cursor]
    return edit.token === token && edit.change === Change.Remove
  }

  private skipTo(token: i32): void {
    while (this.cursor < this.list.length && this.list[this.cursor].token < token) this.cursor += 1
  }
}
