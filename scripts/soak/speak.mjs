import { Agent, request } from 'node:http'

export const MODERN = '2026-07-28'
const LEGACY = '2025-11-25'
const P = 'io.modelcontextprotocol/'
const ABLE = { elicitation: {}, roots: {} }

/** One client with connections of its own: sends messages of either era and reads what comes, event by event. */
export class Speaker {
  #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  #ids = 0
  #open = new Set()

  constructor({ url, token }) {
    this.url = new URL(url)
    this.token = token
  }

  /** Waits for what is under way, then closes every connection. */
  async close() {
    await Promise.allSettled(this.#open)
    this.#agent.destroy()
  }

  /**
   * Sends one HTTP request. `onEvent` is told each message of a stream; `leave` in what it gets ends the exchange. Answers
   * with what came; `left` when we went away ourselves.
   */
  send(what) {
    const exchange = this.#exchange(what)
    this.#open.add(exchange)
    const done = () => void this.#open.delete(exchange)
    exchange.then(done, done)
    return exchange
  }

  #exchange({ verb = 'POST', headers = {}, body, onEvent = () => undefined, leaveAfter }) {
    return new Promise((resolve, reject) => {
      const own = {
        authorization: `Bearer ${this.token}`,
        accept: 'application/json, text/event-stream',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const sent = request(this.url, { agent: this.#agent, method: verb, headers: { ...own, ...headers } })
      const state = { left: false }
      const leave = () => {
        state.left = true
        sent.destroy()
      }
      const timer = leaveAfter === undefined ? undefined : setTimeout(leave, leaveAfter)
      const settle = (answer) => (clearTimeout(timer), resolve({ ...answer, left: state.left }))
      const fail = (error) => (clearTimeout(timer), reject(error))
      sent.once('response', (res) => listenTo(res, { state, leave, onEvent, settle, fail }))
      sent.once('error', (error) => (state.left ? settle({ status: 0, headers: {}, messages: [] }) : fail(error)))
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  modern(method, params = {}, how = {}) {
    const _meta = { [`${P}protocolVersion`]: MODERN, [`${P}clientCapabilities`]: how.able ? ABLE : {}, ...params._meta }
    const named = params.name ?? params.uri
    const headers = {
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(named === undefined ? {} : { 'mcp-name': named }),
    }
    return this.send({
      ...how,
      headers,
      body: { jsonrpc: '2.0', id: this.nextId(), method, params: { ...params, _meta } },
    })
  }

  legacy(method, params = {}, { session, id = this.nextId(), ...how } = {}) {
    const body = { jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params }
    return this.send({ ...how, headers: sessionHeaders(session), body })
  }

  answer(session, id, result) {
    return this.send({ headers: sessionHeaders(session), body: { jsonrpc: '2.0', id, result } })
  }

  /** The standing stream of a session, or one that is taken up again. */
  listen(session, { lastEventId, ...how } = {}) {
    const headers = {
      ...sessionHeaders(session),
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    }
    return this.send({ verb: 'GET', headers, ...how })
  }

  end(session) {
    return this.send({ verb: 'DELETE', headers: sessionHeaders(session) })
  }

  async open(able) {
    const params = {
      protocolVersion: LEGACY,
      capabilities: able ? ABLE : {},
      clientInfo: { name: 'soak', version: '1' },
    }
    const { headers } = await this.legacy('initialize', params)
    const session = headers['mcp-session-id']
    await this.legacy('notifications/initialized', {}, { session, id: null })
    return session
  }

  nextId() {
    return (this.#ids += 1)
  }
}

const sessionHeaders = (session) =>
  session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': LEGACY }

/** Reads one answer to its end, or until we leave. */
function listenTo(res, { state, leave, onEvent, settle, fail }) {
  const isStream = res.headers['content-type']?.startsWith('text/event-stream') ?? false
  const answer = { status: res.statusCode, headers: res.headers, messages: [], eventId: undefined }
  let text = ''
  const end = () => {
    if (!isStream && text !== '' && !state.left) answer.messages.push(JSON.parse(text))
    settle(answer)
  }
  res.setEncoding('utf8').on('data', (piece) => {
    text += piece
    if (!isStream) return
    const blocks = text.split('\n\n')
    text = blocks.pop()
    for (const block of blocks) hear(block, answer, onEvent, leave)
  })
  res.once('end', end).once('error', () => (state.left ? end() : fail(new Error('the answer was cut'))))
  res.once('close', () => state.left && end())
}

function hear(block, answer, onEvent, leave) {
  const lines = block.split('\n')
  const id = lines
    .find((line) => line.startsWith('id:'))
    ?.slice(3)
    .trim()
  if (id !== undefined) answer.eventId = id
  const data = lines.flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trim()] : [])).join('\n')
  if (data === '') return
  const message = JSON.parse(data)
  answer.messages.push(message)
  onEvent(message, leave)
}
