import { connect } from 'node:net'
import { once } from 'node:events'
import { readAnswer, readMessage } from './answers.mjs'

/** Where the ids of calls begin: nine digits each, so that a request is written once and only its id is changed. */
export const FIRST_ID = 100_000_000

/** One kept-alive connection with at most one request on its way. */
export class Wire {
  #socket
  #held = null
  #settle = null

  static async open(port) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new Wire(socket)
  }

  constructor(socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the front closed the connection')))
  }

  /** `done(error, answer)` is called once. */
  send(bytes, done) {
    this.#settle = done
    this.#socket.write(bytes)
  }

  /** Sends a JSON-RPC message that is written only once; answers status, head and message. */
  ask(target, message) {
    const { bytes } = writeRequest(target, message)
    return new Promise((resolve, reject) =>
      this.send(bytes, (error, answer) =>
        error ? reject(error) : resolve({ ...answer, message: readMessage(answer) }),
      ),
    )
  }

  close() {
    this.#settle = null
    this.#socket.destroy()
  }

  #take(chunk) {
    const bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk])
    const answer = readAnswer(bytes)
    this.#held = answer === null ? bytes : null
    if (answer === null) return
    const done = this.#settle
    this.#settle = null
    done?.(null, answer)
  }

  #fail(error) {
    const done = this.#settle
    this.#settle = null
    done?.(error)
  }
}

/** The bytes of one POST, and where in them its id stands. */
export function writeRequest({ port, path, headers = {} }, message) {
  const body = Buffer.from(JSON.stringify(message))
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'content-length': body.length,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  return { bytes: Buffer.concat([head, body]), idAt: head.length + body.indexOf(String(message.id)) }
}
