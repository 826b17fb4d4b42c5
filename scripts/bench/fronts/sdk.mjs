import { createServer } from 'node:http'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { listen } from './listen.mjs'

/**
 * MCP ended and begun anew with the official SDK, the way its stateless example does it: a `Server` and its transport for
 * each request, plain JSON answers, and one `Client` that all of them share.
 */
const info = { name: 'sdk-front', version: '1.0.0' }
const client = new Client(info)
await client.connect(new StreamableHTTPClientTransport(new URL(process.env.UPSTREAM)))

listen(
  createServer(async (req, res) => {
    const server = new Server(info, { capabilities: { tools: {} } })
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => client.listTools(params))
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => client.callTool(params))
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true })
    res.on('close', () => void transport.close().then(() => server.close()))
    await server.connect(transport)
    await transport.handleRequest(req, res)
  }),
)
