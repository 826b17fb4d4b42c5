import { Message, Plain, Text } from '@gatehouse/rule-assemblyscript/assembly'

/** Kinds of signals. The strongest of each kind counts once: a long text is no more suspicious than a short one. */
export const OVERRIDE: i32 = 0
export const SECRECY: i32 = 1
export const ROLE_CHANGE: i32 = 2
export const PROMPT_LEAK: i32 = 3
export const SENDING: i32 = 4
export const TOOL_STEERING: i32 = 5
export const ADDRESSED: i32 = 6
export const ROLE_MARKER: i32 = 7
export const HIDDEN_TEXT: i32 = 8
export const BIDI: i32 = 9
export const INVISIBLE: i32 = 10
export const IMAGE_URL: i32 = 11
const KINDS: i32 = 12

/** Signals beyond that number still count, but are not told. */
const MOST_TOLD: i32 = 500

@final
class Signal {
  constructor(
    readonly kind: i32,
    readonly text: Text,
    readonly start: i32,
    readonly end: i32,
    readonly score: f64,
  ) {}
}

/** What was found in one message. */
@final
export class Signals {
  private list: Signal[] = []
  private strongest: f64[] = []
  private plain: Plain = new Plain(new Text(0, 0))

  constructor() {
    for (let i = 0; i < KINDS; i++) this.strongest.push(0)
  }

  /** Answers the text as it is to be read. What is added is in that, until the next begins. */
  begin(text: Text): Text {
    this.plain = new Plain(text)
    return this.plain.text
  }

  add(kind: i32, start: i32, end: i32, score: f64): void {
    if (score > this.strongest[kind]) this.strongest[kind] = score
    if (this.list.length === MOST_TOLD) return
    const plain = this.plain
    this.list.push(new Signal(kind, plain.original, plain.place(start), plain.place(end), score))
  }

  get isEmpty(): bool {
    return this.list.length == 0
  }

  /** The chance that not all of it is harmless, if each kind were independent. */
  get score(): f64 {
    let harmless: f64 = 1
    for (let i = 0; i < KINDS; i++) harmless *= 1 - this.strongest[i]
    return 1 - harmless
  }

  tell(message: Message): void {
    for (let i = 0; i < this.list.length; i++) {
      const signal = this.list[i]
      message.found(nameOf(signal.kind), signal.text, signal.start, signal.end, signal.score)
    }
  }
}

function nameOf(kind: i32): string {
  if (kind == OVERRIDE) return 'INSTRUCTION_OVERRIDE'
  if (kind == SECRECY) return 'SECRECY'
  if (kind == ROLE_CHANGE) return 'ROLE_CHANGE'
  if (kind == PROMPT_LEAK) return 'PROMPT_LEAK'
  if (kind == SENDING) return 'SEND_SECRETS'
  if (kind == TOOL_STEERING) return 'TOOL_STEERING'
  if (kind == ADDRESSED) return 'MODEL_ADDRESSED'
  if (kind == ROLE_MARKER) return 'ROLE_MARKER'
  if (kind == HIDDEN_TEXT) return 'HIDDEN_TEXT'
  if (kind == BIDI) return 'BIDI_CONTROL'
  return kind == INVISIBLE ? 'INVISIBLE_SIGN' : 'IMAGE_URL'
}
