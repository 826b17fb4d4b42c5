import { Buffer, Message, Text, Value } from '@gatehouse/rule-assemblyscript/assembly'
import { Edits } from '@gatehouse/rule-assemblyscript/assembly/edits'
import { JSON, LINES, longest, Rows } from './rows'

/** Cuts the texts of one message, in their order, to what is left of its rows and bytes. */
@final
export class Cut {
  /** JSON that cannot be cut to so few bytes and stay JSON. */
  isStuck: bool = false

  constructor(
    readonly message: Message,
    private rows: i32,
    private bytes: i32,
  ) {}

  structured(value: Value): void {
    if (!value.exists) return
    const rest: Value[] = []
    collect(value, this.rows, rest)
    let size = value.raw.length
    for (let i = 0; i < rest.length; i++) {
      size -= rest[i].raw.length
      this.message.removeValue(rest[i])
    }
    if (size > this.bytes) this.isStuck = true
  }

  text(value: Value, found: Rows): void {
    const text = found.text
    let kept = text
    let note = ''
    if (found.kind == JSON) kept = this.cutJson(found)
    else if (found.kind == LINES && found.count > this.rows) {
      kept = text.slice(0, found.startOf(this.rows))
      note = `[${found.count - this.rows} of ${found.count} rows were left out by policy]\n`
    }
    this.rows = max(0, this.rows - found.count)
    if (kept.length > this.bytes) {
      if (found.kind == JSON) this.isStuck = true
      kept = kept.slice(0, characterAt(kept, this.bytes))
      note = `\n[cut by policy: ${kept.length} of ${text.length} bytes]`
    }
    this.bytes -= kept.length
    if (kept.length != text.length) this.message.setValue<Text>(value, joined(kept, note))
  }

  private cutJson(found: Rows): Text {
    if (longest(found.json) <= this.rows) return found.text
    const rest: Value[] = []
    collect(found.json, this.rows, rest)
    const edits = new Edits()
    for (let i = 0; i < rest.length; i++) edits.remove(rest[i])
    const out = new Buffer(found.text.length)
    edits.write(out, found.json)
    return new Text(out.at, out.length)
  }
}

/** `note` is ASCII. */
function joined(text: Text, note: string): Text {
  const out = new Buffer(text.length + note.length)
  out.bytes(text.at, text.length)
  out.ascii(note)
  return new Text(out.at, out.length)
}

/** All items behind the first so many, of every array. */
function collect(value: Value, most: i32, rest: Value[]): void {
  if (!value.isArray && !value.isObject) return
  let count = 0
  for (let child = value.first(); child.exists; child = child.next()) {
    if (value.isArray && ++count > most) rest.push(child)
    else collect(child, most, rest)
  }
}

/** The last byte, at or before this one, where a character begins. */
function characterAt(text: Text, place: i32): i32 {
  let at = max(0, place)
  while (at > 0 && (text.byteAt(at) & 0xc0) == 0x80) at--
  return at
}
