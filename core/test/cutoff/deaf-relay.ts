import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'

/** A way to the database on which the connection for notices can go dead without a word. */
export interface DeafRelay {
  readonly url: string
  /** From now on nothing passes on the connections for notices, and nothing ends them; new ones are as deaf. */
  deafen(): void
  /** How many of them there are. */
  listening(): number
  close(): Promise<void>
}

export async function deafRelayTo(databaseUrl: string): Promise<DeafRelay> {
  const target = new URL(databaseUrl)
  const folder = target.searchParams.get('host')
  const port = Number(target.searchParams.get('port') ?? (target.port || 5432))
  const sockets = new Set<Socket>()
  const notices = new Set<Socket>()
  let isDeaf = false
  const server = createServer((near) => {
    const far = folder ? connect(join(folder, `.s.PGSQL.${port}`)) : connect(port, target.hostname)
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        notices.delete(near)
        other.destroy()
      })
      one.on('data', (chunk: Buffer) => {
        // The first message of a connection says whose it is.
        if (one === near && chunk.includes('gatehouse notices')) notices.add(near)
        if (!(isDeaf && notices.has(near))) other.write(chunk)
      })
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = new URL(databaseUrl)
  url.search = ''
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    deafen: () => void (isDeaf = true),
    listening: () => notices.size,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((done) => server.close(() => done()))
    },
  }
}
