import { Buffer } from './memory'
import { Text } from './text'
import { writeBytes, writeString } from './write'

/** What the gateway takes of one call. */
const MAX_FINDINGS = 1000
const MAX_REASON = 500

/** What `serve` hands to the gateway. Made by a `Message` alone. */
@final
export class Answer {
  constructor(public json: Buffer) {}
}

/** What a rule found in one call. Spans are in bytes, and the answer says so. */
@final
export class Findings {
  count: i32 = 0
  private json: Buffer = new Buffer(256)

  get areTooMany(): bool {
    return this.count > MAX_FINDINGS
  }

  add(type: string, where: Text | null, start: i32, end: i32, score: f64): void {
    if (++this.count > MAX_FINDINGS) return
    const json = this.json
    json.ascii(this.count > 1 ? ',{"type":' : '{"type":')
    writeString(json, type)
    if (where !== null && where.index >= 0) {
      json.ascii(where.isKey ? ',"key":' : ',"text":')
      json.integer(where.index)
      json.ascii(',"start":')
      json.integer(max(0, min(start, where.length)))
      json.ascii(',"end":')
      json.integer(max(0, min(end, where.length)))
    }
    if (score >= 0) writeScore(json, score)
    json.byte(125)
  }

  write(out: Buffer): void {
    if (this.count === 0) return
    out.ascii(',"unit":"utf8","findings":[')
    out.bytes(this.json.at, this.json.length)
    out.byte(93)
  }
}

/** To three places. */
function writeScore(out: Buffer, score: f64): void {
  const thousandths = <i32>(min(score, 1) * 1000 + 0.5)
  out.ascii(thousandths >= 1000 ? ',"score":1' : ',"score":0.')
  if (thousandths >= 1000) return
  if (thousandths < 100) out.byte(48)
  if (thousandths < 10) out.byte(48)
  out.integer(thousandths)
}

export function begin(verdict: string, reason: string): Buffer {
  const out = new Buffer(256)
  out.ascii('{"version":1,"verdict":"')
  out.ascii(verdict)
  out.byte(34)
  if (reason.length > 0) {
    out.ascii(',"reason":')
    writeString(out, reason.substring(0, MAX_REASON))
  }
  return out
}

/** New texts in the place of some of the message. */
@final
export class Replacements {
  count: i32 = 0
  private json: Buffer = new Buffer(64)

  add(index: i32, value: Text): void {
    const json = this.json
    json.ascii(this.count > 0 ? ',{"text":' : '{"text":')
    json.integer(index)
    json.ascii(',"value":')
    writeBytes(json, value.at, value.length)
    json.byte(125)
    this.count += 1
  }

  write(out: Buffer): void {
    if (this.count === 0) return
    out.ascii(',"texts":[')
    out.bytes(this.json.at, this.json.length)
    out.byte(93)
  }
}
