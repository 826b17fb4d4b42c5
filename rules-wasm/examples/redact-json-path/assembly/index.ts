import {
  Answer,
  Buffer,
  Config,
  Counters,
  Message,
  parse,
  Path,
  serve,
  Text,
  Value,
} from '@gatehouse/rule-assemblyscript/assembly'
import { Edits } from '@gatehouse/rule-assemblyscript/assembly/edits'
import { jsonOf } from '@gatehouse/rule-assemblyscript/assembly/write'

export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'

export function evaluate(): i32 {
  return serve(look)
}

function look(message: Message): Answer {
  const redaction = new Redaction()
  if (message.isRequest) redaction.inMessage(message, message.body.get('arguments'))
  else redactResult(redaction, message)
  if (redaction.count == 0) return message.pass()
  Counters.add('fields', redaction.count)
  message.foundSomewhere('REDACTED_FIELD')
  return message.modify()
}

/** What is structured, and every text that is JSON as a whole. */
function redactResult(redaction: Redaction, message: Message): void {
  redaction.inMessage(message, message.body.get('structuredContent'))
  redaction.inTexts(message, 'content[*].text')
  redaction.inTexts(message, 'content[*].resource.text')
  redaction.inTexts(message, 'contents[*].text')
  redaction.inTexts(message, 'messages[*].content.text')
}

class Redaction {
  count: i32 = 0
  private paths: Path[] = []
  private mode: Text = Config.text('mode')
  private replacement: string = Config.string('replacement')

  constructor() {
    const paths = Config.list('paths')
    for (let i = 0; i < paths.length; i++) this.paths.push(new Path(paths[i].toString()))
  }

  inMessage(message: Message, root: Value): void {
    const found = this.select(root)
    for (let i = 0; i < found.length; i++) {
      if (this.removes(found[i], root)) message.removeValue(found[i])
      else this.setIn(message, found[i])
    }
  }

  inTexts(message: Message, path: string): void {
    const texts = message.all(path)
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i].text
      const first = text.trim().byteAt(0)
      if (first != 0x7b && first != 0x5b) continue
      const root = parse(text)
      const found = this.select(root)
      if (found.length > 0) message.setValue<Text>(texts[i], this.rewrite(root, found))
    }
  }

  private rewrite(root: Value, found: Value[]): Text {
    const edits = new Edits()
    for (let i = 0; i < found.length; i++) {
      if (this.removes(found[i], root)) edits.remove(found[i])
      else edits.replace(found[i], this.jsonFor(found[i]))
    }
    const out = new Buffer(root.raw.length + 64)
    edits.write(out, root)
    return new Text(out.at, out.length)
  }

  private select(root: Value): Value[] {
    const all: Value[] = []
    for (let i = 0; i < this.paths.length; i++) {
      const found = this.paths[i].select(root)
      for (let n = 0; n < found.length; n++) all.push(found[n])
    }
    this.count += all.length
    return all
  }

  /** The root cannot be taken away: it becomes empty. */
  private removes(value: Value, root: Value): bool {
    return this.mode.equals('remove') && value.token != root.token
  }

  private setIn(message: Message, value: Value): void {
    const json = this.jsonFor(value)
    message.setValue<Value>(value, parse(new Text(json.at, json.length)))
  }

  /** Of the type that it was, so that whoever checks the message against a schema is content. */
  private jsonFor(value: Value): Buffer {
    const out = new Buffer(8)
    if (value.isObject) out.ascii('{}')
    else if (value.isArray) out.ascii('[]')
    else if (value.isString || this.mode.equals('text')) return jsonOf<string>(this.replacement)
    else if (value.isNumber) out.byte(0x30)
    else out.ascii(value.isNull ? 'null' : 'false')
    return out
  }
}
