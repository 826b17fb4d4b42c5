import { Answer, begin, Findings, Replacements } from './answer'
import { Edits } from './edits'
import { Buffer } from './memory'
import { Path } from './path'
import { Kind } from './tape'
import { Text, textOf } from './text'
import { stringAt, Value } from './value'
import { jsonOf } from './write'

/** The facts of the call. What nobody knows is empty. */
@final
export class Call {
  constructor(private json: Value) {}

  /** The same for both legs of one call. */
  get id(): Text {
    return this.json.get('id').text
  }
  get gateway(): Text {
    return this.json.get('gateway').text
  }
  get server(): Text {
    return this.json.get('server').text
  }
  get user(): Text {
    return this.json.get('user').text
  }
  get host(): Text {
    return this.json.get('host').text
  }
  /** Milliseconds since the epoch, when the call began. */
  get time(): i64 {
    return this.json.get('time').integer()
  }
  /** Such as `tools/call`. */
  get method(): Text {
    return this.json.get('method').text
  }
  get era(): Text {
    return this.json.get('era').text
  }
  /** `tool`, `prompt` or `resource`. */
  get featureKind(): Text {
    return this.json.get('feature').get('kind').text
  }
  /** Of the tool, prompt or resource. */
  get feature(): Text {
    return this.json.get('feature').get('name').text
  }
  attribute(name: string): Text {
    return this.json.get('attributes').get(name).text
  }
}

/** One message on its way, and what the rule makes of it. */
@final
export class Message {
  /** The params of a request or the result of a response. Missing unless the manifest's `input` asks for `message`. */
  readonly body: Value
  readonly call: Call
  private findings: Findings = new Findings()
  private edits: Edits = new Edits()
  private replacements: Replacements = new Replacements()
  private textList: Text[] | null = null
  private keyList: Text[] | null = null

  constructor(private input: Value) {
    this.body = input.get('message')
    this.call = new Call(input.get('call'))
  }

  get isRequest(): bool {
    return this.input.get('leg').text.equals('request')
  }

  get isResponse(): bool {
    return !this.isRequest
  }

  /** The strings of the message, in its order. None unless the manifest's `input` asks for `texts`. */
  get texts(): Text[] {
    const known = this.textList
    if (known !== null) return known
    return (this.textList = listOf(this.input.get('texts'), false))
  }

  /** The names of the members of its objects; with `texts`. */
  get keys(): Text[] {
    const known = this.keyList
    if (known !== null) return known
    return (this.keyList = listOf(this.input.get('keys'), true))
  }

  /** An argument of a tool or a prompt. */
  argument(name: string): Value {
    return this.body.get('arguments').get(name)
  }

  /** The first value that the path leads to. */
  at(path: string): Value {
    const found = this.all(path)
    return found.length > 0 ? found[0] : new Value(this.body.tape, -1)
  }

  all(path: string): Value[] {
    return new Path(path).select(this.body)
  }

  /** Something found in a text or a key of the lists: from the byte `start` to before `end`. A score is 0 to 1; below 0, none. */
  found(type: string, where: Text, start: i32, end: i32, score: f64 = -1): void {
    this.findings.add(type, where, start, end, score)
  }

  /** The same, counted in UTF-16 units: places in `where.toString()`. */
  foundUnits(type: string, where: Text, start: i32, end: i32, score: f64 = -1): void {
    this.findings.add(type, where, where.byteOfUnit(start), where.byteOfUnit(end), score)
  }

  /** Something that has no place in a text. */
  foundSomewhere(type: string, score: f64 = -1): void {
    this.findings.add(type, null, 0, 0, score)
  }

  get count(): i32 {
    return this.findings.count
  }

  /**
   * Puts a value (string, number, boolean, Text or Value) wherever the path leads. Where it leads nowhere and ends in a name, the
   * member is added. Answers how many places that were. It is sent with `modify`.
   */
  set<T>(path: string, value: T): i32 {
    const way = new Path(path)
    const json = jsonOf<T>(value)
    const found = way.select(this.body)
    for (let i = 0; i < found.length; i++) this.edits.replace(found[i], json)
    if (found.length > 0 || way.lastName.length === 0) return found.length
    const parents = way.selectParents(this.body)
    let added = 0
    for (let i = 0; i < parents.length; i++) {
      if (!parents[i].isObject) continue
      this.edits.add(parents[i], way.lastName, json)
      added += 1
    }
    return added
  }

  /** Takes away what the path leads to. Answers how many values that were. */
  remove(path: string): i32 {
    const found = this.all(path)
    for (let i = 0; i < found.length; i++) this.removeValue(found[i])
    return found.length
  }

  removeValue(value: Value): void {
    if (value.exists && value.token !== this.body.token) this.edits.remove(value)
  }

  setValue<T>(value: Value, to: T): void {
    if (value.exists) this.edits.replace(value, jsonOf<T>(to))
  }

  /** A new text in the place of one of `texts`. To be used without `set` and `remove`: those change the message as a whole. */
  replace(text: Text, value: string): void {
    if (text.index >= 0 && !text.isKey) this.replacements.add(text.index, textOf(value))
  }

  /** It goes on. Findings count, or are what the gateway's action for this rule is done to. */
  pass(): Answer {
    return this.close(begin('pass', ''))
  }

  /** It ends here. The reason is read by the client. */
  block(reason: string): Answer {
    return this.close(begin('block', reason))
  }

  /** It goes on as it was changed here; unchanged, if nothing was. */
  modify(): Answer {
    const changes = !this.edits.isEmpty || this.replacements.count > 0
    const out = begin(changes ? 'modify' : 'pass', '')
    if (!this.edits.isEmpty) {
      out.ascii(',"message":')
      this.edits.write(out, this.body)
    }
    this.replacements.write(out)
    return this.close(out)
  }

  /** The rule cannot tell: its `onFailure` decides. */
  undecided(reason: string = ''): Answer {
    return this.close(begin('undecided', reason))
  }

  /** More findings than the gateway takes would leave some out: then the rule could not tell. */
  private close(out: Buffer): Answer {
    if (this.findings.areTooMany) return new Answer(finish(begin('undecided', 'It found more than can be told.')))
    this.findings.write(out)
    return new Answer(finish(out))
  }
}

/** The answer of a rule that cannot read what it was shown. */
export function unread(): Answer {
  return new Answer(finish(begin('undecided', 'The input is not JSON that this rule can read.')))
}

function finish(out: Buffer): Buffer {
  out.byte(125)
  return out
}

/** The strings of an array, each of which is one token. */
function listOf(json: Value, isKey: bool): Text[] {
  const list: Text[] = []
  if (!json.isArray) return list
  const tape = json.tape
  for (let token = json.token + 1; tape.kind(token) !== Kind.Close; token = tape.next(token)) {
    const text = tape.isString(token) ? stringAt(tape, token) : new Text(0, 0)
    text.index = list.length
    text.isKey = isKey
    list.push(text)
  }
  return list
}
