import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One message as a receiver got it. */
export interface Message {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
  /** Whether its signature is that of this secret. */
  isSigned(secret: string): boolean
}

export interface Receiver {
  readonly url: string
  /** What it answers from now on. */
  status: number
  readonly messages: readonly Message[]
  stop(): Promise<void>
}

/** A receiver of webhooks that checks signatures as its owner would. */
export async function startReceiver(): Promise<Receiver> {
  const messages: Message[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString()
    const { headers, url: path = '' } = request
    const isSigned = (secret: string) => {
      const [, at, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['gatehouse-signature'])) ?? []
      return mac === createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
    }
    messages.push({ path, headers, body, json: JSON.parse(body) as unknown, isSigned })
    response.writeHead(receiver.status).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/x`,
    status: 200,
    messages,
    stop: () => new Promise((done) => (server.closeAllConnections(), server.close(() => done()))),
  }
  return receiver
}
