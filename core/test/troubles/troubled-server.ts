import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '@gatehouse/sdk'
import { DISCOVERY } from '../../upstream/testing.js'

/** What may befall a server; all but the first leave it listening. */
export const TROUBLES = {
  killed: () => undefined,
  hung: () => undefined,
  slow: (_res, answer) => void setTimeout(answer, 400),
  limited: (res) => void res.writeHead(429, { 'retry-after': '2' }).end(),
  unauthorised: (res) => void res.writeHead(401, { 'www-authenticate': 'Bearer' }).end(),
  cut(res) {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(': so far\n\n', () => res.destroy())
  },
} satisfies Record<string, (res: ServerResponse, answer: () => void) => void>
export type TroubleName = keyof typeof TROUBLES

export interface TroubledServer {
  readonly url: string
  /** Calls of its tool that reached it. */
  readonly calls: () => number
  befall(trouble: TroubleName): Promise<void>
  heal(): Promise<void>
  stop(): Promise<void>
}

/** A server of the modern era with one tool, which can be troubled and healed, always at the same address. */
export async function troubledServer(tool: string): Promise<TroubledServer> {
  let trouble: TroubleName | null = null
  let calls = 0
  const complete = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }
  const results: Readonly<Record<string, JsonObject>> = {
    'server/discover': DISCOVERY,
    'tools/list': { ...complete, tools: [{ name: tool, inputSchema: { type: 'object' } }] },
    'tools/call': { resultType: 'complete', content: [] },
  }
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: unknown; method: string }
        if (method === 'tools/call') calls += 1
        const answer = () => {
          const result = results[method]
          const outcome = result === undefined ? { error: { code: -32601, message: 'no' } } : { result }
          res.writeHead(200, { 'content-type': 'application/json' })
          res.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }))
        }
        if (trouble === null) answer()
        else TROUBLES[trouble](res, answer)
      })
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    calls: () => calls,
    async befall(name) {
      trouble = name
      if (name === 'killed') await close()
    },
    async heal() {
      if (trouble === 'killed') await listen(port)
      trouble = null
    },
    stop: close,
  }
}
