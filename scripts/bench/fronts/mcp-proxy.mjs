import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Server } from '@modelcontextprotocol/server'
import { proxyServer, startHTTPServer } from 'mcp-proxy'
import { createServer } from 'node:http'

/**
 * The `mcp-proxy` library as its README shows it, in its cheapest form: sessions, plain JSON answers, no store of past
 * events, no second era, no SSE door.
 */
const client = new Client({ name: 'mcp-proxy-front', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(new URL(process.env.UPSTREAM)))
const serverCapabilities = client.getServerCapabilities()

const port = await freePort()
await startHTTPServer({
  host: '127.0.0.1',
  port,
  sseEndpoint: null,
  modern: false,
  stateless: process.env.STATELESS === '1',
  enableJsonResponse: true,
  eventStore: false,
  createServer: async () => {
    const server = new Server(client.getServerVersion(), { capabilities: serverCapabilities })
    await proxyServer({ client, server, serverCapabilities })
    return server
  },
})
process.send({ port })
process.once('disconnect', () => process.exit(0))

/** The library takes a port and does not tell which one it got. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
