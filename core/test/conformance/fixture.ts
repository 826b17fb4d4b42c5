import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, isLegacyRequest, type McpHttpHandler } from '@modelcontextprotocol/server'
import type { AskOn } from './ask.js'
import type { Announcer } from './calling-tools.js'
import { createFixtureServer } from './fixture-server.js'
import { createLegacySessions, type LegacySessions } from './legacy-sessions.js'
import { WATCHED } from './resources.js'

export type Eras = 'both' | 'legacy' | 'modern'

export interface FixtureOptions {
  /** What it speaks; a request of an era that is off gets what a server that never heard of it answers. */
  readonly eras?: Eras
  /** Where it asks on the legacy era; on the stream of the call unless given. */
  readonly askOn?: AskOn
}

export interface Fixture {
  readonly url: string
  stop(): Promise<void>
}

/** The upstream of the conformance run: the published packages as their users use them, on a port of its own. */
export async function startFixture({ eras = 'both', askOn = 'post' }: FixtureOptions = {}): Promise<Fixture> {
  const sessions: LegacySessions = createLegacySessions((subscribed) =>
    createFixtureServer({ era: 'legacy', askOn, announcer, subscribed }),
  )
  const modern: McpHttpHandler = createMcpHandler(
    () => createFixtureServer({ era: 'modern', askOn, announcer, subscribed: new Set() }),
    { legacy: 'reject' },
  )
  const announcer: Announcer = announceTo(modern, sessions)
  const isLegacy = async (request: Request) =>
    eras === 'legacy' || (eras === 'both' && (await isLegacyRequest(request)))
  const handle = toNodeHandler({
    fetch: async (request, options) =>
      (await isLegacy(request)) ? sessions.handle(request) : modern.fetch(request, options),
  })
  const { url, stop } = await listen((req, res) => handle(req as Parameters<typeof handle>[0], res))
  return {
    url,
    stop: async () => {
      await Promise.all([sessions.stop(), modern.close()])
      await stop()
    },
  }
}

function announceTo(modern: McpHttpHandler, sessions: LegacySessions): Announcer {
  return {
    toolsChanged: () => {
      modern.notify.toolsChanged()
      sessions.each(({ server }) => server.sendToolListChanged())
    },
    promptsChanged: () => {
      modern.notify.promptsChanged()
      sessions.each(({ server }) => server.sendPromptListChanged())
    },
    watchedChanged: () => {
      modern.notify.resourceUpdated(WATCHED)
      sessions.each(({ server, subscribed }) => {
        if (subscribed.has(WATCHED)) void server.server.sendResourceUpdated({ uri: WATCHED }).catch(() => undefined)
      })
    },
  }
}

type Handle = (req: IncomingMessage, res: ServerResponse) => Promise<void>

/** On loopback only, for loopback names only: the suite tries others. */
async function listen(handle: Handle): Promise<Fixture> {
  const isOurHost = localhostHostValidation()
  const isOurOrigin = localhostOriginValidation()
  const server = createServer((req, res) => {
    if (!isOurHost(req, res) || !isOurOrigin(req, res)) return
    if (req.url !== '/mcp') return void res.writeHead(404).end()
    void handle(req, res).catch(() => res.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
