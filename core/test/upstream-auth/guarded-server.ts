import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { SignInServer } from './sign-in-server.js'

/** What one request brought with it. */
export interface Seen {
  readonly authorization: string | undefined
  readonly cookie: string | undefined
  readonly headers: IncomingMessage['headers']
}

/** A real MCP server that takes nobody's word: tokens are looked up at its sign-in, and must be meant for it. */
export interface GuardedServer {
  readonly url: string
  readonly seen: Seen[]
  /** Scope that the tool `write` wants. */
  wants: string
  /** Refuses every token, as if they had been revoked. */
  refuses: boolean
  stop(): Promise<void>
}

export interface GuardedOptions {
  readonly signIn: Pick<SignInServer, 'issuer' | 'introspect'>
  /** Instead of the metadata that should be there: the whole answer. */
  readonly metadata?: (own: string) => { status: number; headers?: Record<string, string>; body?: object }
  readonly scopes?: readonly string[]
}

const caller = new AsyncLocalStorage<string>()

export async function startGuardedServer({
  signIn,
  metadata,
  scopes = ['read'],
}: GuardedOptions): Promise<GuardedServer> {
  const handler = createMcpHandler(() => tools())
  const mcp = toNodeHandler(handler)
  const seen: Seen[] = []
  const http = createServer((req, res) => void answer(req, res))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const own = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const server: GuardedServer = {
    url: `${own}/mcp`,
    seen,
    wants: '',
    refuses: false,
    async stop() {
      http.closeAllConnections()
      await Promise.all([handler.close(), new Promise((resolve) => http.close(resolve))])
    },
  }

  async function answer(...[req, res]: Parameters<Parameters<typeof createServer>[1] & object>): Promise<void> {
    if (req.url?.startsWith('/.well-known/oauth-protected-resource')) {
      const given = metadata?.(own) ?? {
        status: 200,
        body: { resource: server.url, authorization_servers: [signIn.issuer], scopes_supported: scopes },
      }
      res.writeHead(given.status, { 'content-type': 'application/json', ...given.headers })
      return void res.end(JSON.stringify(given.body ?? {}))
    }
    if (!req.url?.startsWith('/mcp')) return void res.writeHead(404).end()
    const { authorization, cookie } = req.headers
    seen.push({ authorization, cookie, headers: req.headers })
    const found = await signIn.introspect(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '')
    const isMeant = found !== null && [found.aud].flat().includes(server.url)
    if (!isMeant || server.refuses) {
      const challenge = `Bearer resource_metadata="${own}/.well-known/oauth-protected-resource/mcp"`
      return void res.writeHead(401, { 'www-authenticate': challenge }).end()
    }
    const text = await whole(req)
    const isWrite = text.includes('"name":"write"')
    if (isWrite && !server.wants.split(' ').every((one) => one === '' || found.scope.split(' ').includes(one))) {
      const challenge = `Bearer error="insufficient_scope", scope="${server.wants}"`
      return void res.writeHead(403, { 'www-authenticate': challenge }).end()
    }
    const body = text === '' ? undefined : (JSON.parse(text) as unknown)
    await caller.run(found.sub, () => mcp(req as Parameters<typeof mcp>[0], res, body))
  }
  return server
}

async function whole(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function tools(): McpServer {
  const server = new McpServer({ name: 'guarded', version: '1.0.0' })
  const sub = caller.getStore() ?? 'nobody'
  server.registerTool('whoami', { description: 'Who calls', inputSchema: z.object({}) }, async () => ({
    content: [{ type: 'text', text: sub }],
  }))
  server.registerTool('write', { description: 'Needs more', inputSchema: z.object({}) }, async () => ({
    content: [{ type: 'text', text: `written by ${sub}` }],
  }))
  return server
}
