import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { INITIALIZED, fakeServer, sendEvent, startStream } from '../upstream/testing.js'
import type { FakeServer, Seen } from '../upstream/testing.js'

/** Servers of 2024-11-05 for tests: a raw one, and one of the reference SDK. */

export interface SseFake extends FakeServer {
  /** The GET streams, oldest first. */
  readonly streams: readonly Seen[]
}

export interface SseFakeOptions {
  /** What stands in the endpoint event of the stream with this number, from 1; null: the event never comes. */
  readonly endpoint?: (n: number, origin: string) => string | null
  /** Comes before all else; true says that it is answered. */
  readonly before?: (seen: Seen) => boolean
  readonly initialized?: object
}

/** Takes each POST to `/messages` with 202, initializes itself; calls and what else is POSTed go to `handle`. */
export async function sseFake(
  handle: (seen: Seen, stream: Seen) => void,
  options: SseFakeOptions = {},
): Promise<SseFake> {
  const { endpoint = (n) => `/messages?session=${n}`, before, initialized = {} } = options
  const streams: Seen[] = []
  const open = (seen: Seen) => {
    streams.push(seen)
    startStream(seen)
    const named = endpoint(streams.length, new URL(fake.url).origin)
    if (named !== null) seen.res.write(`event: endpoint\ndata: ${named}\n\n`)
  }
  const fake = await fakeServer((seen) => {
    if (before?.(seen)) return
    const { pathname, searchParams } = new URL(seen.path, fake.url)
    if (pathname === '/mcp' && seen.verb === 'GET') return open(seen)
    const stream = streams[Number(searchParams.get('session')) - 1]
    if (pathname !== '/messages' || seen.verb !== 'POST' || !stream) return void seen.res.writeHead(404).end('<nope>')
    seen.res.writeHead(202).end('Accepted')
    if (seen.body['method'] === 'initialize')
      sendEvent(stream, {
        id: seen.body['id'],
        result: { ...INITIALIZED, protocolVersion: '2024-11-05', ...initialized },
      })
    else if (seen.body['method'] !== 'notifications/initialized') handle(seen, stream)
  })
  return { ...fake, streams }
}

export interface SdkSseServer {
  readonly url: string
  /** How many streams were opened, and how many calls of `wait` began and were cancelled. */
  readonly seen: Readonly<Tally>
  /** Cuts every stream. */
  cut(): void
  stop(): Promise<void>
}

interface Tally {
  streams: number
  waits: number
  cancelled: number
}

/** `SSEServerTransport` of the reference SDK with the tools `count` (tells its progress) and `wait` (until it is cancelled). */
export async function startSdkSseServer(): Promise<SdkSseServer> {
  const transports = new Map<string, SSEServerTransport>()
  const seen: Tally = { streams: 0, waits: 0, cancelled: 0 }
  const http = createServer(async (req, res) => {
    const url = new URL(req.url ?? '', 'http://localhost')
    const transport = transports.get(url.searchParams.get('sessionId') ?? '')
    if (req.method === 'GET' && url.pathname === '/sse') {
      const opened = new SSEServerTransport('/messages', res)
      transports.set(opened.sessionId, opened)
      seen.streams++
      await makeSdkServer(seen).connect(opened)
    } else if (req.method === 'POST' && url.pathname === '/messages' && transport)
      await transport.handlePostMessage(req, res).catch(() => undefined)
    else res.writeHead(404).end('Not found')
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/sse`,
    seen,
    cut: () => http.closeAllConnections(),
    stop: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
}

function makeSdkServer(seen: Tally): Server {
  const server = new Server({ name: 'old', version: '1' }, { capabilities: { tools: {} } })
  const inputSchema = { type: 'object' as const }
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: ['count', 'wait'].map((name) => ({ name, description: name, inputSchema })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }) => {
    if (params.name === 'wait') {
      seen.waits++
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      seen.cancelled++
    }
    const progressToken = params._meta?.progressToken
    for (const progress of progressToken === undefined ? [] : [1, 2, 3])
      await sendNotification({
        method: 'notifications/progress',
        params: { progressToken: progressToken!, progress, total: 3 },
      })
    return { content: [{ type: 'text', text: `counted ${JSON.stringify(params.arguments ?? {})}` }] }
  })
  return server
}
