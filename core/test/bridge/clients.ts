import type { JsonObject } from '@gatehouse/sdk'
import { META, MODERN_VERSION } from '../../mcp/versions.js'
import type { Access } from '../gateway.js'
import { until } from '../until.js'

/** Scripted clients of both eras: what they send is written here, no library between. */

// oxlint-disable-next-line typescript/no-explicit-any
export type Message = any

/** How a client answers a question; undefined leaves it unanswered. */
export type Answerer = (question: Message) => JsonObject | undefined | Promise<JsonObject | undefined>

export interface Heard {
  readonly message: Message
  /** On the answer of a request, by its id, or on the standing stream. */
  readonly on: string | number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The response; undefined when the stream ended without one. */
  readonly json: Message
  /** What came on the same stream before it. */
  readonly before: readonly Message[]
}

export interface RequestOptions {
  readonly id?: string | number
  readonly signal?: AbortSignal
  readonly headers?: Readonly<Record<string, string>>
}

export interface LegacyClient {
  readonly session: string
  readonly heard: readonly Heard[]
  request(method: string, params?: JsonObject, options?: RequestOptions): Promise<Answer>
  call(name: string, given?: JsonObject, options?: RequestOptions & { token?: string | number }): Promise<Answer>
  /** Sends a note, or an answer to a question; the status that it was taken with. */
  say(message: JsonObject): Promise<number>
  /** Opens the standing stream. */
  listen(): Promise<void>
  /** Waits until it was asked this method; the newest question. */
  asked(method: string): Promise<Heard>
  end(): Promise<number>
  close(): void
}

export interface LegacyOptions {
  readonly capabilities?: JsonObject
  readonly version?: string
  readonly answer?: Answerer
}

const JSON_AND_EVENTS = 'application/json, text/event-stream'

export async function legacyClient(access: Access, options: LegacyOptions = {}): Promise<LegacyClient> {
  const { capabilities = {}, version = '2025-11-25', answer = () => undefined } = options
  const heard: Heard[] = []
  const open = new AbortController()
  let session = ''
  let ids = 0
  const headers = (more: Readonly<Record<string, string>> = {}) => ({
    authorization: `Bearer ${access.token}`,
    'content-type': 'application/json',
    accept: JSON_AND_EVENTS,
    ...(session === '' ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': version }),
    ...more,
  })
  const send = (message: JsonObject, { signal, headers: more }: RequestOptions = {}) =>
    fetch(access.url, {
      method: 'POST',
      headers: headers(more),
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      signal: signal === undefined ? open.signal : AbortSignal.any([open.signal, signal]),
    })
  const say = async (message: JsonObject) => {
    const { status, body } = await send(message)
    await body?.cancel()
    return status
  }
  const hear = async (message: Message, on: Heard['on']) => {
    heard.push({ message, on })
    if (message.method === undefined || message.id === undefined) return
    const given = await answer(message)
    if (given !== undefined) await say({ id: message.id, ...given })
  }
  const request: LegacyClient['request'] = async (method, params, how = {}) => {
    const id = how.id ?? (ids += 1)
    const response = await send({ id, method, ...(params === undefined ? {} : { params }) }, how)
    return answerOf(response, (message) => void hear(message, id).catch(() => undefined))
  }
  const clientInfo = { name: 'scripted', version: '1' }
  const opened = await request('initialize', { protocolVersion: version, capabilities, clientInfo })
  session = opened.headers.get('mcp-session-id') ?? ''
  if (session === '') throw new Error(`no session: ${opened.status} ${JSON.stringify(opened.json)}`)
  await say({ method: 'notifications/initialized' })
  return {
    session,
    heard,
    request,
    call(name, given = {}, { token, ...how } = {}) {
      const meta = token === undefined ? {} : { _meta: { progressToken: token } }
      return request('tools/call', { name, arguments: given, ...meta }, how)
    },
    say,
    async listen() {
      const response = await fetch(access.url, {
        headers: headers({ accept: 'text/event-stream' }),
        signal: open.signal,
      })
      if (response.status !== 200) throw new Error(`no standing stream: ${response.status}`)
      void readEvents(response, (message) => void hear(message, 'standing').catch(() => undefined)).catch(
        () => undefined,
      )
    },
    asked: (method) =>
      until(`it is asked ${method}`, () =>
        heard.findLast(({ message }) => message.method === method && message.id !== undefined),
      ),
    async end() {
      const { status } = await fetch(access.url, { method: 'DELETE', headers: headers() })
      return status
    },
    close: () => open.abort(),
  }
}

export interface ModernClient {
  request(method: string, params?: JsonObject, options?: ModernRequest): Promise<Answer>
  call(name: string, given?: JsonObject, options?: ModernRequest): Promise<Answer>
  /** The same call again with the answers to what it asked. */
  again(
    name: string,
    asked: Answer,
    inputResponses: JsonObject | undefined,
    options?: ModernRequest & { given?: JsonObject },
  ): Promise<Answer>
  /** Calls, and answers as long as it is asked. */
  run(method: string, params: JsonObject, options?: ModernRequest): Promise<Ran>
}

export interface Ran {
  readonly answer: Answer
  /** What was asked in each round, by name. */
  readonly rounds: readonly Readonly<Record<string, Message>>[]
}

export interface ModernRequest extends RequestOptions {
  readonly token?: string | number
  readonly logLevel?: string
  readonly capabilities?: JsonObject
}

export interface ModernOptions {
  readonly capabilities?: JsonObject
  readonly answer?: (question: Message) => JsonObject | undefined
}

const MOST_ROUNDS = 30

export function modernClient(access: Access, options: ModernOptions = {}): ModernClient {
  const { answer = () => undefined } = options
  let ids = 0
  const request: ModernClient['request'] = async (method, params = {}, how = {}) => {
    const { token, logLevel, capabilities = options.capabilities ?? {}, signal } = how
    const _meta = {
      ...(params._meta as JsonObject | undefined),
      [META.version]: MODERN_VERSION,
      [META.capabilities]: capabilities,
      [META.clientInfo]: { name: 'scripted', version: '1' },
      ...(token === undefined ? {} : { progressToken: token }),
      ...(logLevel === undefined ? {} : { [META.logLevel]: logLevel }),
    }
    const named = params.name ?? params.uri
    const response = await fetch(access.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${access.token}`,
        'content-type': 'application/json',
        accept: JSON_AND_EVENTS,
        'mcp-protocol-version': MODERN_VERSION,
        'mcp-method': method,
        ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
        ...how.headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: how.id ?? (ids += 1), method, params: { ...params, _meta } }),
      ...(signal === undefined ? {} : { signal }),
    })
    return answerOf(response)
  }
  return {
    request,
    call: (name, given = {}, how) => request('tools/call', { name, arguments: given }, how),
    again(name, asked, inputResponses, { given = {}, ...how } = {}) {
      const { requestState } = asked.json.result
      const answers = inputResponses === undefined ? {} : { inputResponses }
      return request(
        'tools/call',
        { name, arguments: given, ...answers, ...(requestState === undefined ? {} : { requestState }) },
        how,
      )
    },
    async run(method, params, how) {
      const rounds: Readonly<Record<string, Message>>[] = []
      let more: JsonObject = {}
      for (;;) {
        const given = await request(method, { ...params, ...more }, how)
        const result = given.json?.result
        if (result?.resultType !== 'input_required') return { answer: given, rounds }
        const asked = (result.inputRequests ?? {}) as Readonly<Record<string, Message>>
        rounds.push(asked)
        if (rounds.length > MOST_ROUNDS) throw new Error('it asks without end')
        const answers = Object.entries(asked).map(([name, question]) => [name, answer(question)])
        const { requestState } = result
        more = {
          inputResponses: Object.fromEntries(answers.filter(([, one]) => one !== undefined)),
          ...(requestState === undefined ? {} : { requestState }),
        }
      }
    },
  }
}

async function answerOf(response: Response, hear: (message: Message) => void = () => undefined): Promise<Answer> {
  const { status, headers } = response
  if (!headers.get('content-type')?.startsWith('text/event-stream')) {
    const text = await response.text()
    return { status, headers, json: text === '' ? undefined : JSON.parse(text), before: [] }
  }
  const all: Message[] = []
  await readEvents(response, (message) => {
    all.push(message)
    if (message.method !== undefined) hear(message)
  })
  const json = all.find((message) => message.method === undefined)
  return { status, headers, json, before: all.slice(0, json === undefined ? all.length : all.indexOf(json)) }
}

/** Reads to the end of the stream. Line breaks are those of the protocol alone: U+2028 may stand in an event. */
async function readEvents(response: Response, onMessage: (message: Message) => void): Promise<void> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = text.slice(0, end)
      text = text.slice(end + 2)
      const data = event.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
      if (data.length > 0 && data.join('\n') !== '') onMessage(JSON.parse(data.join('\n')))
    }
  }
}

/** Answers as a person who agrees: names, colors and folders that tests know again. */
export const agreeable: Answerer = ({ method, params }) => {
  const result = agreed(method, params)
  return result === undefined ? undefined : { result }
}

export function agreed(method: string, params: Message): JsonObject | undefined {
  switch (method) {
    case 'elicitation/create':
      return { action: 'accept', ...(params.mode === 'url' ? {} : { content: filledIn(params.requestedSchema) }) }
    case 'sampling/createMessage':
      return {
        role: 'assistant',
        model: 'scripted',
        stopReason: 'endTurn',
        content: { type: 'text', text: `to: ${params.messages[0].content.text}` },
      }
    case 'roots/list':
      return { roots: [{ uri: 'file:///scripted', name: 'scripted' }] }
    default:
      return undefined
  }
}

function filledIn(schema: Message): JsonObject {
  const known: JsonObject = {
    name: 'Ada',
    color: 'blue',
    ok: true,
    context: 'tests',
    username: 'ada',
    email: 'ada@example.com',
  }
  const wanted = Object.entries((schema?.properties ?? {}) as Record<string, Message>)
  return Object.fromEntries(
    wanted.flatMap(([key, field]) => {
      const value = known[key] ?? field.default ?? field.enum?.[0]
      return value === undefined ? [] : [[key, value]]
    }),
  )
}

export const ALL = {
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
}
