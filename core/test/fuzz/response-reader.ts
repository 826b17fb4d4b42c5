/** One HTTP answer, as far as it has come. */
export interface Response {
  /** 0 until the head is there. */
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** Reads one HTTP/1.1 answer from the bytes of a connection. Throws when they are none. */
export class ResponseReader {
  #status = 0
  readonly #headers = new Map<string, string>()
  #unread: Buffer = Buffer.alloc(0)
  #body: Buffer = Buffer.alloc(0)
  #isDone = false
  #isChunked = false
  /** Of the body, or of its current chunk; null: until the connection ends. */
  #left: number | null = 0

  get isDone(): boolean {
    return this.#isDone
  }

  get endsWithConnection(): boolean {
    return this.#status > 0 && !this.#isChunked && this.#left === null
  }

  get response(): Response {
    return { status: this.#status, headers: this.#headers, body: this.#body }
  }

  /** Gives what is left over behind the answer. */
  push(bytes: Buffer): Buffer {
    this.#unread = Buffer.concat([this.#unread, bytes])
    if (this.#status === 0 && !this.#readHead()) return Buffer.alloc(0)
    if (this.#isChunked) while (!this.#isDone && this.#readChunk());
    else this.#readPlain()
    if (!this.#isDone) return Buffer.alloc(0)
    return this.#unread
  }

  #readHead(): boolean {
    const end = this.#unread.indexOf('\r\n\r\n')
    if (end < 0) return false
    const [first = '', ...lines] = this.#unread.subarray(0, end).toString('latin1').split('\r\n')
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]
    if (status === undefined) throw new Error(`no HTTP answer: ${JSON.stringify(first.slice(0, 200))}`)
    for (const line of lines) {
      const colon = line.indexOf(':')
      this.#headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    this.#status = Number(status)
    this.#unread = this.#unread.subarray(end + 4)
    const length = this.#headers.get('content-length')
    this.#isChunked = this.#headers.get('transfer-encoding') === 'chunked'
    this.#left = this.#isChunked ? -1 : this.#status === 204 ? 0 : length === undefined ? null : Number(length)
    return true
  }

  #readPlain(): void {
    const size = Math.min(this.#unread.length, this.#left ?? Infinity)
    this.#body = Buffer.concat([this.#body, this.#unread.subarray(0, size)])
    this.#unread = this.#unread.subarray(size)
    if (this.#left === null) return
    this.#left -= size
    this.#isDone = this.#left === 0
  }

  /** True when there may be another whole one. */
  #readChunk(): boolean {
    const end = this.#unread.indexOf('\r\n')
    if (end < 0) return false
    const size = Number.parseInt(this.#unread.subarray(0, end).toString('latin1'), 16)
    if (!Number.isInteger(size)) throw new Error('a chunk without a size')
    if (this.#unread.length < end + 2 + size + 2) return false
    this.#body = Buffer.concat([this.#body, this.#unread.subarray(end + 2, end + 2 + size)])
    this.#unread = this.#unread.subarray(end + 2 + size + 2)
    this.#isDone = size === 0
    return true
  }
}
