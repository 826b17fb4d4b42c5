import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Attributes = Readonly<Record<string, string>>

/** One log record as it came over the wire, its attributes by name. */
export interface Collected {
  readonly body: string
  readonly severity: string
  readonly time: string
  readonly attributes: Attributes
  readonly resource: Attributes
}

export interface Request {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly records: readonly Collected[]
  readonly status: number
}

/** An HTTP receiver of this test's own in the place of a collector: it reads OTLP JSON and is well, ill or away. */
export interface Collector {
  readonly url: string
  readonly requests: Request[]
  /** The records that it took: what it refused is not among them. */
  taken(): readonly Collected[]
  /** What it answers from now on. */
  status: number
  /** Nobody listens any more; and again, at the same place. */
  away(): Promise<void>
  back(): Promise<void>
}

export async function startCollector(): Promise<Collector> {
  const requests: Request[] = []
  let server: Server | undefined
  let port = 0
  const open = async () => {
    server = createServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        const { status } = collector
        const records = read(Buffer.concat(chunks).toString('utf8'))
        requests.push({ path: req.url ?? '', headers: req.headers, records, status })
        res.writeHead(status, { 'content-type': 'application/json' }).end(status < 300 ? '{}' : 'I am ill')
      })
    })
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  }
  const collector: Collector = {
    get url() {
      return `http://127.0.0.1:${port}/v1/logs?tenant=7`
    },
    requests,
    status: 200,
    taken: () => requests.flatMap((request) => (request.status < 300 ? request.records : [])),
    away: () =>
      new Promise((resolve) => {
        server?.close(() => resolve())
        server?.closeAllConnections()
      }),
    back: open,
  }
  await open()
  return collector
}

interface Pair {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: string }
}
interface Otlp {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly Pair[] }
    readonly scopeLogs: readonly {
      readonly logRecords: readonly {
        readonly timeUnixNano: string
        readonly severityText: string
        readonly body: { readonly stringValue: string }
        readonly attributes: readonly Pair[]
      }[]
    }[]
  }[]
}

function read(text: string): readonly Collected[] {
  const { resourceLogs } = JSON.parse(text) as Otlp
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs
      .flatMap(({ logRecords }) => logRecords)
      .map((record) => ({
        body: record.body.stringValue,
        severity: record.severityText,
        time: record.timeUnixNano,
        attributes: byName(record.attributes),
        resource: byName(resource.attributes),
      })),
  )
}

const byName = (pairs: readonly Pair[]): Attributes =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? '']))
