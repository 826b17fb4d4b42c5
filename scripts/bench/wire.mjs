import { connect } from 'node:net'
import { once } from 'node:events'
import { AnswerReader, readMessage } from './answers.mjs'

/** Where the ids of calls begin: nine digits each, so that a request is written once and only its id is changed. */
export const FIRST_ID = 100_000_000

/** One kept-alive connection with at most one request on its way. */
export class Wire {
  #socket
  #reader = new AnswerReader()
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
    const answer = this.#reader.push(chunk)
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

/** The bytes of one POST, and how its id is written into them: wherever the id of `message` stands in its body. */
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
  const bytes = Buffer.concat([head, body])
  const places = placesOf(bytes, String(message.id), head.length)
  const number = (id, into = bytes) => {
    for (const at of places) into.latin1Write(String(id), at)
    return into
  }
  return { bytes, number }
}

function placesOf(bytes, text, from) {
  const places = []
  for (let at = bytes.indexOf(text, from); at !== -1; at = bytes.indexOf(text, at + 1)) places.push(at)
  return places
}
