import type { Dispatcher } from 'undici'
import type { Flow } from '../domain/flow.js'
import type { GatehouseError } from '../errors.js'
import { brokenProtocol, fault, networkFault } from './faults.js'
import { createSseParser } from './sse-parser.js'
import type { SseEvent, SseParser } from './sse-parser.js'
import { parseJson as parseWire } from '../mcp/json.js'

export interface HttpSend {
  readonly slug: string
  /** Asked once; what it throws is a fault of the exchange. */
  readonly pool: () => Dispatcher
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly path: string
  /** Names and values in a row. */
  readonly headers: string[]
  readonly body: Buffer | null
  readonly limits: HttpLimits
  /** Each JSON message of an event stream; true says that it was the answer and the rest is not wanted. May throw. */
  readonly onMessage: (value: unknown, text: string) => boolean
  /** Each event of another type than `message`. May throw. */
  readonly onEvent?: ((event: SseEvent) => void) | undefined
  /** Told when the head of an event stream is there. */
  readonly onStream?: (() => void) | undefined
  /** Most milliseconds without a byte once the head is there. */
  readonly silence?: number | undefined
  /** How fast the messages are read on: while it is full, no more comes in. */
  readonly flow?: Flow | undefined
}

export interface HttpLimits {
  readonly upstreamEvent: number
  readonly upstreamBody: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: HttpHeaders
  /** The body; empty for an event stream, cut at 64 KiB when the status is no success. */
  readonly text: string
  /** Null unless it was an event stream; `answered` is false when that ended before the answer. */
  readonly stream: { readonly answered: boolean } | null
  readonly bytes: number
}

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>

/** No id, and one that no header can hold. */
const NO_MARK = /^$|[\0-\x1f\x7f]/
const ERROR_BODY = 64 * 1024
const DRAIN_BYTES = 64 * 1024
const DRAIN_MS = 1_000

/**
 * One HTTP exchange. `answer` settles once: with what came, or with a `GH_UPSTREAM_*` fault. Size and silence are bounded
 * here, time by whoever calls `abort`. After the answer in an event stream a short rest is read, so that the connection
 * can be used again.
 */
export class HttpCall implements Dispatcher.DispatchHandler {
  readonly answer: Promise<HttpAnswer>
  #resolve!: (answer: HttpAnswer) => void
  #reject!: (error: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #aborted: Error | undefined
  #status = 0
  #headers: HttpHeaders = {}
  #limit = 0
  #chunks: Buffer[] = []
  #bytes = 0
  #sse: SseParser | undefined
  #answered = false
  #drain: NodeJS.Timeout | undefined

  readonly #slug: string
  /** Null once it has settled: a connection knows its last request, which must not keep the whole call alive. */
  #send: HttpSend | null

  constructor(send: HttpSend) {
    this.#slug = send.slug
    this.#send = send
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const { pool, method, path, headers, body, silence = 0 } = send
    try {
      pool().dispatch({ method, path, headers, body, headersTimeout: 0, bodyTimeout: silence }, this)
    } catch (error) {
      this.#fail(networkFault(send.slug, error, false))
    }
  }

  /** Where an event stream could be taken up again: its last event id, and the pause the server asked for. */
  get mark(): { readonly lastEventId: string; readonly retry: number | null } | null {
    const lastEventId = this.#sse?.lastEventId ?? ''
    return NO_MARK.test(lastEventId) ? null : { lastEventId, retry: this.#sse?.retry ?? null }
  }

  /** False while the request waits for a connection: then nothing of it was sent. */
  get hasLeft(): boolean {
    return this.#controller !== undefined
  }

  /** Closes the connection; `answer` rejects with the error unless it has settled. */
  abort(error: GatehouseError): void {
    this.#fail(error)
    this.#aborted ??= error
    this.#controller?.abort(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#aborted) controller.abort(this.#aborted)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: HttpHeaders): void {
    this.#status = status
    this.#headers = headers
    const ok = status >= 200 && status < 300
    if (this.#send === null) return
    const { limits, onStream } = this.#send
    this.#limit = ok ? limits.upstreamBody : ERROR_BODY
    if (ok && header(headers, 'content-type')?.startsWith('text/event-stream')) {
      this.#sse = this.#openStream(limits.upstreamEvent)
      onStream?.()
    } else if (ok && Number(header(headers, 'content-length') ?? 0) > this.#limit) this.#tooLarge(this.#limit)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#answered) return this.#drainMore(chunk.length)
    if (this.#sse) {
      this.#sse.push(chunk)
      return this.#mindFlow()
    }
    if (this.#bytes <= this.#limit) {
      this.#chunks.push(chunk)
      return
    }
    if (this.#status < 300) return this.#tooLarge(this.#limit)
    this.#chunks.push(chunk.subarray(0, chunk.length - (this.#bytes - this.#limit)))
    this.#finish()
    this.#controller?.abort(new Error('the rest of the error body is not wanted'))
  }

  onResponseEnd(): void {
    clearTimeout(this.#drain)
    this.#finish()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#drain)
    this.#fail(networkFault(this.#slug, error, this.#controller !== undefined))
  }

  #openStream(limit: number): SseParser {
    return createSseParser({
      limit,
      onEvent: (event) => {
        if (this.#send !== null && event.data !== '') this.#read(this.#send, event)
      },
      onOverflow: () => this.#tooLarge(limit),
    })
  }

  #read({ slug, onMessage, onEvent }: HttpSend, event: SseEvent): void {
    try {
      if (event.type !== 'message') return onEvent?.(event)
      if (!onMessage(parseJson(slug, event.data), event.data)) return
    } catch (error) {
      return this.abort(error as GatehouseError)
    }
    this.#answered = true
    this.#finish()
    this.#bytes = 0
    this.#drain = setTimeout(() => this.#controller?.abort(new Error('the stream was not ended')), DRAIN_MS)
    this.#drain.unref()
  }

  /** What is not read stays in the socket, and so slows the server down. */
  #mindFlow(): void {
    const flow = this.#send?.flow
    const controller = this.#controller
    if (flow === undefined || controller === undefined || controller.paused || !flow.full) return
    controller.pause()
    void flow.drained().then(() => controller.resume())
  }

  #drainMore(bytes: number): void {
    if (this.#bytes > DRAIN_BYTES && bytes > 0) this.#controller?.abort(new Error('the stream was not ended'))
  }

  #tooLarge(limit: number): void {
    this.abort(fault('GH_UPSTREAM_TOO_LARGE', this.#slug, `answered with more than ${limit} bytes`))
  }

  #finish(): void {
    if (this.#send === null) return
    this.#send = null
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      text: this.#chunks.length === 1 ? String(this.#chunks[0]) : Buffer.concat(this.#chunks).toString('utf8'),
      stream: this.#sse ? { answered: this.#answered } : null,
      bytes: this.#bytes,
    })
    this.#chunks = []
  }

  #fail(error: unknown): void {
    if (this.#send === null) return
    this.#send = null
    this.#reject(error)
  }
}

export function header(headers: HttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** JSON, or a fault that names the server. The parser's own error is dropped, since it quotes the text. */
export function parseJson(slug: string, text: string): unknown {
  try {
    return parseWire(text)
  } catch {
    throw brokenProtocol(
      slug,
      text === '' ? 'an empty answer' : 'an answer that is not JSON',
      `${text.length} characters`,
    )
  }
}
