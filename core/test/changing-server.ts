import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer as ModernServer, type McpHttpHandler } from '@modelcontextprotocol/server'
import { McpServer as LegacyServer, type RegisteredTool } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { Era, JsonObject } from '@gatehouse/sdk'

export interface ChangingOptions {
  readonly era: Era
  readonly capabilities: JsonObject
  readonly instructions?: string
  readonly tools?: readonly string[]
  readonly resources?: readonly string[]
  /** The one that it had before, for a server that comes back. */
  readonly port?: number
}

/** A server built with the published packages, whose tools and resources a test changes while it runs. */
export interface ChangingServer {
  readonly url: string
  readonly port: number
  /** The methods that it was asked, in order. */
  readonly asked: readonly string[]
  /** How many streams tell of its changes. */
  listening(): number
  /** What a client subscribes to, each as often as it does. */
  subscribed(): readonly string[]
  addTool(name: string): void
  /** Another definition of a tool that it has; with a name, it goes by that from now on. */
  changeTool(name: string, change: ToolChange): void
  update(uri: string): void
  stop(): Promise<void>
}

export interface ToolChange {
  readonly name?: string
  readonly title?: string
  readonly description?: string
  readonly annotations?: { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean }
}

/** The tool `change` adds a tool of the name that it is given, as a client would see a server change while it works. */
export async function changingServer(options: ChangingOptions): Promise<ChangingServer> {
  const asked: string[] = []
  const side = options.era === 'modern' ? modernSide(options) : legacySide(options)
  const streams = new Set<ServerResponse>()
  const server = createServer((req, res) => {
    void readJson(req).then(async (body) => {
      const method = String(body?.['method'] ?? req.method)
      asked.push(method)
      if (method === 'subscriptions/listen' || method === 'GET') {
        streams.add(res)
        res.once('close', () => streams.delete(res))
      }
      await side.handle(req, res, body)
    })
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    asked,
    listening: () => [...streams].filter((res) => res.headersSent).length,
    subscribed: side.subscribed,
    addTool: side.addTool,
    changeTool: side.changeTool,
    update: side.update,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await side.stop()
    },
  }
}

interface Side extends Pick<ChangingServer, 'subscribed' | 'addTool' | 'changeTool' | 'update' | 'stop'> {
  handle(req: IncomingMessage, res: ServerResponse, body: JsonObject | undefined): Promise<void>
}

type Features = Pick<ModernServer, 'registerTool' | 'registerResource'>
const textOf = (text: string) => ({ content: [{ type: 'text' as const, text }] })

type Own = Map<string, Omit<ToolChange, 'name'>>
const ownOf = (names: readonly string[]): Own => new Map(names.map((name) => [name, { description: name }]))

function changed(own: Own, name: string, { name: now = name, ...change }: ToolChange): void {
  const before = own.get(name)
  if (now !== name) own.delete(name)
  own.set(now, { ...before, ...change })
}

function addFeatures(server: Features, tools: Own, resources: readonly string[]): void {
  for (const [name, definition] of tools) server.registerTool(name, definition, () => textOf(name))
  for (const uri of resources)
    server.registerResource(uri, uri, {}, () => ({
      contents: [{ uri, mimeType: 'text/plain', text: `this is ${uri}` }],
    }))
}

function modernSide({ capabilities, instructions, tools = [], resources = [] }: ChangingOptions): Side {
  const own = ownOf(tools)
  const filters: string[][] = []
  const handler: McpHttpHandler = createMcpHandler(
    () => {
      const server = new ModernServer(
        { name: 'changing', version: '1' },
        { capabilities, ...(instructions === undefined ? {} : { instructions }) },
      )
      addFeatures(server, own, resources)
      if (capabilities['tools'] !== undefined)
        server.registerTool('change', {}, () => (side.addTool(`made-${own.size}`), textOf('changed')))
      return server
    },
    { legacy: 'reject' },
  )
  const node = toNodeHandler(handler)
  const side: Side = {
    handle: async (req, res, body) => {
      if (body?.['method'] === 'subscriptions/listen') {
        const wanted = (body['params'] as { notifications: { resourceSubscriptions?: string[] } }).notifications
        const filter = wanted.resourceSubscriptions ?? []
        filters.push(filter)
        res.once('close', () => void filters.splice(filters.indexOf(filter), 1))
      }
      await node(req as Parameters<typeof node>[0], res, body)
    },
    subscribed: () => filters.flat(),
    addTool(name) {
      own.set(name, { description: name })
      handler.notify.toolsChanged()
    },
    changeTool(name, change) {
      changed(own, name, change)
      handler.notify.toolsChanged()
    },
    update: (uri) => handler.notify.resourceUpdated(uri),
    stop: () => handler.close(),
  }
  return side
}

interface Session {
  readonly transport: StreamableHTTPServerTransport
  readonly server: LegacyServer
  readonly uris: string[]
  readonly registered: Map<string, RegisteredTool>
  readonly register: (name: string) => void
}

function legacySide({ capabilities, instructions, tools = [], resources = [] }: ChangingOptions): Side {
  const own = ownOf(tools)
  const sessions = new Map<string, Session>()

  const open = async () => {
    const server = new LegacyServer(
      { name: 'changing', version: '1' },
      { capabilities, ...(instructions === undefined ? {} : { instructions }) },
    )
    const uris: string[] = []
    const registered = new Map<string, RegisteredTool>()
    const register = (name: string) =>
      void registered.set(
        name,
        server.registerTool(name, own.get(name) ?? {}, () => textOf(name)),
      )
    addFeatures(server as unknown as Features, new Map(), resources)
    for (const name of own.keys()) register(name)
    if (capabilities['tools'] !== undefined)
      server.registerTool('change', {}, () => (side.addTool(`made-${own.size}`), textOf('changed')))
    if ((capabilities['resources'] as JsonObject | undefined)?.['subscribe'] === true) {
      server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => (uris.push(params.uri), {}))
      server.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
        uris.splice(uris.indexOf(params.uri), 1)
        return {}
      })
    }
    if (capabilities['logging'] !== undefined) server.server.setRequestHandler(SetLevelRequestSchema, () => ({}))
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { transport, server, uris, registered, register }),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await server.connect(transport as unknown as Transport)
    return transport
  }

  const side: Side = {
    handle: async (req, res, body) => {
      const id = req.headers['mcp-session-id']
      if (id === undefined && body?.['method'] !== 'initialize') return void res.writeHead(400).end('{}')
      const transport = id === undefined ? await open() : sessions.get(String(id))?.transport
      if (transport === undefined) res.writeHead(404).end()
      else await transport.handleRequest(req, res, body)
    },
    subscribed: () => [...sessions.values()].flatMap(({ uris }) => uris),
    addTool(name) {
      own.set(name, { description: name })
      for (const { register } of sessions.values()) register(name)
    },
    changeTool(name, change) {
      changed(own, name, change)
      for (const { registered, register } of sessions.values()) {
        registered.get(name)?.remove()
        register(change.name ?? name)
      }
    },
    update(uri) {
      for (const { server, uris } of sessions.values())
        if (uris.includes(uri)) void server.server.sendResourceUpdated({ uri }).catch(() => undefined)
    },
    stop: async () => {
      await Promise.all([...sessions.values()].map(({ server }) => server.close()))
      sessions.clear()
    },
  }
  return side
}

async function readJson(req: IncomingMessage): Promise<JsonObject | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonObject)
}
