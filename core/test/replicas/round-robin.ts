import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import type { Access } from '../gateway.js'

/** A balancer without any stickiness: each request goes to the next target, past those that nobody listens at. */
export interface RoundRobin {
  readonly url: string
  /** How many requests each target has answered, in the order of the targets. */
  readonly served: readonly number[]
  /** The same access by way of the balancer. */
  through(access: Access): Access
  stop(): Promise<void>
}

export async function roundRobin(targets: readonly string[]): Promise<RoundRobin> {
  const served = targets.map(() => 0)
  let turn = 0
  const pass = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await readText(req)
    for (let tries = 0; tries < targets.length; tries++) {
      const at = turn++ % targets.length
      const isServed = await send(new URL(req.url ?? '/', targets[at]), body, { req, res })
      if (isServed) return void (served[at] = (served[at] ?? 0) + 1)
    }
    res.writeHead(502).end()
  }
  const server = createServer((req, res) => void pass(req, res).catch(() => res.destroy()))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    served,
    through: (access) => ({ ...access, url: url + new URL(access.url).pathname }),
    async stop() {
      const closed = new Promise<void>((done) => server.close(() => done()))
      server.closeAllConnections()
      await closed
    },
  }
}

interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** False when nobody listens there. Bytes and headers go through as they are, both ways, and so does a hang-up. */
function send(url: URL, body: string, { req, res }: Exchange): Promise<boolean> {
  return new Promise((resolve) => {
    const { 'transfer-encoding': _, ...headers } = req.headers
    const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) }
    const out = request(url, { method: req.method ?? 'GET', headers: { ...headers, ...length }, agent: false })
    out.on('response', (answer) => {
      resolve(true)
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      res.flushHeaders()
      answer.on('error', () => res.destroy()).pipe(res)
    })
    out.on('error', (thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ECONNREFUSED') return resolve(false)
      res.destroy()
      resolve(true)
    })
    res.once('close', () => out.destroy())
    out.end(body)
  })
}
