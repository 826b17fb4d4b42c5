import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import type { EventStore, JSONRPCMessage, McpServer } from '@modelcontextprotocol/server'

interface Session {
  readonly server: McpServer
  readonly transport: NodeStreamableHTTPServerTransport
  readonly subscribed: ReadonlySet<string>
}

/** The legacy era as its servers serve it: a session for each client, a server for each session. */
export interface LegacySessions {
  handle(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void>
  each(tell: (session: Session) => unknown): void
  stop(): Promise<void>
}

/** Soon enough for a scenario, which waits for as long as it is told before it comes back. */
const RETRY_MS = 500

export function createLegacySessions(createServer: (subscribed: Set<string>) => McpServer): LegacySessions {
  const sessions = new Map<string, Session>()

  const open = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const subscribed = new Set<string>()
    const server = createServer(subscribed)
    const transport = new NodeStreamableHTTPServerTransport({
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
    handle: async (req, res, body) => {
      const id = req.headers['mcp-session-id']
      const transport = id === undefined ? await open() : sessions.get(String(id))?.transport
      if (transport === undefined) refuse(res, 404, { code: -32001, message: 'Session not found' })
      else await transport.handleRequest(req, res, body)
    },
    each: (tell) => sessions.forEach(tell),
    stop: async () => {
      await Promise.all([...sessions.values()].map(({ server }) => server.close()))
      sessions.clear()
    },
  }
}

/** As the packages refuse what is no request that they could give an id back for. */
export function refuse(res: ServerResponse, status: number, error: { code: number; message: string }): void {
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ jsonrpc: '2.0', error, id: null }))
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
