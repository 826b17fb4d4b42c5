import { randomUUID } from 'node:crypto'
import {
  type EventStore,
  type JSONRPCMessage,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'

interface Session {
  readonly server: McpServer
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly subscribed: ReadonlySet<string>
}

/** The legacy era as its servers serve it: a session for each client, a server for each session. */
export interface LegacySessions {
  handle(request: Request): Promise<Response>
  each(tell: (session: Session) => unknown): void
  stop(): Promise<void>
}

/** Soon enough for a scenario, which waits for as long as it is told before it comes back. */
const RETRY_MS = 500

export function createLegacySessions(createServer: (subscribed: Set<string>) => McpServer): LegacySessions {
  const sessions = new Map<string, Session>()

  const open = async (): Promise<WebStandardStreamableHTTPServerTransport> => {
    const subscribed = new Set<string>()
    const server = createServer(subscribed)
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport, subscribed }),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await server.connect(transport)
    return transport
  }

  return {
    handle: async (request) => {
      const id = request.headers.get('mcp-session-id')
      if (id === null) return (await open()).handleRequest(request)
      return sessions.get(id)?.transport.handleRequest(request) ?? unknownSession()
    },
    each: (tell) => sessions.forEach(tell),
    stop: async () => {
      await Promise.all([...sessions.values()].map(({ server }) => server.close()))
      sessions.clear()
    },
  }
}

function unknownSession(): Response {
  const error = { code: -32001, message: 'Session not found' }
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 })
}

/** All events of a session, kept for as long as it lives. */
function createEventStore(): EventStore {
  const events: { readonly streamId: string; readonly message: JSONRPCMessage }[] = []
  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message }) - 1),
    getStreamIdForEventId: async (id) => events[Number(id)]?.streamId,
    replayEventsAfter: async (last, { send }) => {
      const streamId = events[Number(last)]?.streamId ?? ''
      for (const [n, event] of events.entries()) {
        const isMessage = 'jsonrpc' in event.message
        if (n > Number(last) && event.streamId === streamId && isMessage) await send(String(n), event.message)
      }
      return streamId
    },
  }
}
