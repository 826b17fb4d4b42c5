import { StringDecoder } from 'node:string_decoder'

/**
 * Reads HTTP/1.1 answers from the bytes as they come: only as much of HTTP as the fronts of the benchmark speak, a length or
 * chunks, no trailers. Each message of an event stream is read when its event is whole, not when the stream ends.
 */
export class AnswerReader {
  #held = null
  #answer = null

  /** The answer, once it is whole; null until then. */
  push(chunk) {
    const bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = null
    let rest = bytes
    if (this.#answer === null) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) {
        this.#held = bytes
        return null
      }
      this.#answer = answerOf(bytes.latin1Slice(0, end))
      rest = bytes.subarray(end + 4)
    }
    const { body } = this.#answer
    this.#held = body.push(rest)
    if (!body.isWhole) return null
    const { status, head } = this.#answer
    this.#answer = null
    return { status, head, text: body.text, messages: body.messages }
  }
}

function answerOf(head) {
  const status = Number(head.slice(9, 12))
  const content = /^content-type: *text\/event-stream/im.test(head) ? new Events() : new Plain()
  const length = /^content-length: *(\d+)/im.exec(head)
  if (length !== null) return { status, head, body: new Measured(content, Number(length[1])) }
  const isChunked = /^transfer-encoding: *chunked/im.test(head)
  return { status, head, body: isChunked ? new Chunked(content) : new Measured(content, 0) }
}

/** `push` gives back the bytes that cannot be read before more have come. */
class Body {
  isWhole = false

  constructor(content) {
    this.content = content
  }

  get text() {
    return this.content.text
  }

  get messages() {
    return this.content.messages
  }
}

class Measured extends Body {
  constructor(content, length) {
    super(content)
    this.left = length
  }

  push(bytes) {
    this.content.push(bytes)
    this.left -= bytes.length
    this.isWhole = this.left <= 0
    return null
  }
}

class Chunked extends Body {
  /** Of the chunk that is being read, its line end included; 0 between two. */
  #left = 0

  push(bytes) {
    let at = 0
    while (at < bytes.length) {
      if (this.#left === 0) {
        const line = bytes.indexOf('\r\n', at)
        if (line === -1) return bytes.subarray(at)
        const size = parseInt(bytes.latin1Slice(at, line), 16)
        // The empty line behind the last chunk comes with it, but for a cut at its very end.
        if (size === 0 && bytes.length < line + 4) return bytes.subarray(at)
        this.isWhole = size === 0
        if (this.isWhole) return null
        this.#left = size + 2
        at = line + 2
      }
      const end = Math.min(bytes.length, at + this.#left)
      this.content.push(bytes.subarray(at, Math.min(end, at + Math.max(0, this.#left - 2))))
      this.#left -= end - at
      at = end
    }
    return null
  }
}

class Plain {
  messages = null
  #parts = []

  push(bytes) {
    this.#parts.push(bytes)
  }

  get text() {
    return this.#parts.length === 1 ? this.#parts[0].utf8Slice() : Buffer.concat(this.#parts).utf8Slice()
  }
}

class Events {
  messages = []
  text = ''
  #decoder = new StringDecoder('utf8')
  #read = 0

  push(bytes) {
    this.text += this.#decoder.write(bytes)
    for (let end = this.text.indexOf('\n\n', this.#read); end !== -1; end = this.text.indexOf('\n\n', this.#read)) {
      for (const line of this.text.slice(this.#read, end).split('\n'))
        if (line.startsWith('data: {')) this.messages.push(JSON.parse(line.slice('data: '.length)))
      this.#read = end + 2
    }
  }
}

/** The JSON-RPC message of an answer, in plain JSON or as the last one of a stream; null when there is none. */
export function readMessage({ text, messages }) {
  if (messages !== null) return messages.at(-1) ?? null
  return text === '' ? null : JSON.parse(text)
}
