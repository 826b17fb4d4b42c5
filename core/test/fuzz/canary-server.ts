import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '@gatehouse/sdk'
import { decodeHeaderValue } from '../../mcp/header-value.js'
import { DISCOVERY, INITIALIZED } from '../../upstream/testing.js'
import { ownersIn, strangersIn } from './canaries.js'
import { showsMark } from './odd-json.js'

/** One message to a server, with the credential that came along. */
export interface Told {
  readonly era: 'modern' | 'legacy'
  readonly key: string
  readonly body: JsonObject
  readonly params: JsonObject
  readonly res: ServerResponse
  /** Asks the client in the middle of the call; legacy only, and only once a stream was started. */
  readonly ask: (question: JsonObject) => Promise<JsonObject>
}

export interface CanaryServer {
  readonly url: (era: 'modern' | 'legacy') => string
  /** What a server must never see: another's canary, a client's own token, a session under two credentials. */
  readonly breaches: readonly string[]
  readonly calls: number
  stop(): Promise<void>
}

interface Session {
  readonly key: string
  readonly waiting: Map<string, (answer: JsonObject) => void>
}

const NAMED: Readonly<Record<string, string>> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' }

type Answer = (told: Told) => void | Promise<void>
type Handle = (req: IncomingMessage, res: ServerResponse, text: string) => void

/** Two servers, one of each era, that keep books of who told them what. Features go to `answer`. */
export async function startCanaryServer(answer: Answer): Promise<CanaryServer> {
  const books = createBooks()
  let calls = 0
  const handle = createHandle(books, (told) => {
    calls += 1
    return answer(told)
  })
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => handle(req, res, Buffer.concat(chunks).toString('utf8')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: (era) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${era}`,
    breaches: books.breaches,
    get calls() {
      return calls
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function createHandle(books: ReturnType<typeof createBooks>, answer: Answer): Handle {
  const sessions = new Map<string, Session>()
  let opened = 0
  const open = (key: string): string => {
    opened += 1
    sessions.set(`s${opened}`, { key, waiting: new Map() })
    return `s${opened}`
  }
  return (req, res, text) => {
    const era = req.url?.startsWith('/modern') ? 'modern' : 'legacy'
    const key = String(req.headers['x-key'] ?? '')
    books.see(key, text, req)
    if (req.method === 'GET') return stream(res)
    const id = String(req.headers['mcp-session-id'])
    const session = sessions.get(id)
    if (session !== undefined && session.key !== key) books.breach(`a session of ${session.key} was used by ${key}`)
    if (req.method === 'DELETE') {
      sessions.delete(id)
      return void res.writeHead(200).end()
    }
    const body = JSON.parse(text) as JsonObject
    const { method } = body
    if (method === 'server/discover') return discover(era, body, res)
    const result = { ...INITIALIZED, capabilities: CAPABILITIES }
    if (method === 'initialize') return json(res, body, { result }, { 'mcp-session-id': open(key) })
    if (method === undefined) session?.waiting.get(String(body['id']))?.(body)
    if (method === undefined || !('id' in body)) return void res.writeHead(202).end()
    if (era === 'modern') books.compare(req, body)
    const params = (body['params'] ?? {}) as JsonObject
    void answer({ era, key, body, params, res, ask: (question) => ask(res, session, question) })
  }
}

export const CAPABILITIES = { tools: { listChanged: true }, prompts: {}, resources: {}, completions: {}, logging: {} }

let asked = 0
/** Questions are numbered from 0, which is an id like any other. */
function ask(res: ServerResponse, session: Session | undefined, question: JsonObject): Promise<JsonObject> {
  const id = asked
  asked += 1
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 5_000, { error: { code: -32603, message: 'nobody answered' } })
    session?.waiting.set(String(id), (answer) => {
      clearTimeout(timer)
      session.waiting.delete(String(id))
      resolve(answer)
    })
    event(res, { id, ...question })
  })
}

function discover(era: Told['era'], body: JsonObject, res: ServerResponse): void {
  if (era === 'modern') return json(res, body, { result: { ...DISCOVERY, capabilities: CAPABILITIES } })
  json(res, { id: null }, { error: { code: -32000, message: 'Bad Request: Server not initialized' } }, {}, 400)
}

export function json(res: ServerResponse, { id }: JsonObject, answer: object, headers = {}, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify({ jsonrpc: '2.0', id: id ?? null, ...answer }))
}

export function stream(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.flushHeaders()
}

export function event(res: ServerResponse, message: object): void {
  res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}

function createBooks() {
  const breaches: string[] = []
  const breach = (what: string) => void breaches.push(what)
  return {
    breaches,
    breach,
    /** What is lent to all may carry anybody's words. */
    see(key: string, text: string, { headers }: IncomingMessage): void {
      const [whose = ''] = ownersIn(key)
      const all = `${text}\n${JSON.stringify({ ...headers, 'x-key': '' })}`
      const strangers = whose === 'all' ? [] : strangersIn(all, whose)
      if (whose === '') breach(`no credential came along: ${text.slice(0, 500)}`)
      if (strangers.length > 0) breach(`${whose} was given words of ${strangers.join()}: ${text.slice(0, 500)}`)
      if (/API_[\w-]{40}/.test(all)) breach(`the token of a client: ${text.slice(0, 500)}`)
      if (showsMark(all)) breach(`the mark of a number: ${text.slice(0, 500)}`)
    },
    /** The headers of the modern era repeat the body. */
    compare({ headers }: IncomingMessage, body: JsonObject): void {
      const method = String(body['method'])
      const named = NAMED[method]
      const value = named === undefined ? undefined : (body['params'] as JsonObject)[named]
      const header = headers['mcp-name']
      if (headers['mcp-method'] !== method) breach(`Mcp-Method ${String(headers['mcp-method'])} for ${method}`)
      if (named !== undefined && (typeof header !== 'string' || decodeHeaderValue(header) !== value))
        breach(`Mcp-Name ${String(header)} for ${JSON.stringify(value)}`)
    },
  }
}
