import { connect, type Socket } from 'node:net'
import { ResponseReader, type Response } from './response-reader.js'

export type { Response } from './response-reader.js'

/** What came back, and how it ended: `whole`, `cut` by the other side, or `left` by us. */
export interface Heard extends Response {
  readonly end: 'whole' | 'cut' | 'left'
}

/** Looked at after every piece of an answer; `leave` closes the connection. */
export type Watch = (response: Response, leave: () => unknown) => void

/**
 * One connection to the gateway, byte by byte and with nothing between: what stands in a request need not be HTTP, and
 * what comes back that nobody asked for is seen.
 */
export class Wire {
  /** Bytes that came when no answer was awaited. */
  stray = ''
  #socket: Socket
  #open = true
  #reader: ResponseReader | null = null
  #watch: Watch | undefined
  #settle: ((end: Heard['end']) => void) | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed())
  }

  static open(port: number): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Wire(socket))
      })
    })
  }

  /** Whether another request may be sent. */
  get isOpen(): boolean {
    return this.#open && this.#settle === null
  }

  /** Sends a request and waits for its one answer, at most so long. */
  async ask(bytes: Buffer, ms: number, watch?: Watch): Promise<Heard> {
    const reader = new ResponseReader()
    let timer: NodeJS.Timeout | undefined
    const end = await new Promise<Heard['end']>((resolve) => {
      if (!this.#open) return resolve('cut')
      this.#reader = reader
      this.#watch = watch
      this.#settle = resolve
      timer = setTimeout(() => this.leave(), ms)
      this.#socket.write(bytes)
    })
    clearTimeout(timer)
    this.#reader = null
    this.#settle = null
    if (end === 'whole' && reader.response.headers.get('connection') === 'close') this.leave()
    return { ...reader.response, end }
  }

  leave(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.destroy()
    this.#settle?.('left')
  }

  #take(bytes: Buffer): void {
    const reader = this.#reader
    if (reader === null || this.#settle === null) {
      this.stray += bytes.toString('latin1')
      return
    }
    const rest = reader.push(bytes)
    // Said too late, it must not end the next exchange.
    this.#watch?.(reader.response, () => this.#reader === reader && this.leave())
    if (!reader.isDone) return
    this.stray += rest.toString('latin1')
    this.#settle?.('whole')
    this.#settle = null
  }

  #closed(): void {
    this.#open = false
    // A body without a length ends with its connection.
    this.#settle?.(this.#reader?.endsWithConnection ? 'whole' : 'cut')
  }
}
