import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node'
import { createMcpHandler, isLegacyRequest, type McpHttpHandler } from '@modelcontextprotocol/server'
import type { AskOn } from './ask.js'
import type { Announcer } from './calling-tools.js'
import { createFixtureServer } from './fixture-server.js'
import { createLegacySessions, refuse, type LegacySessions } from './legacy-sessions.js'
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
  const answerModern = toNodeHandler(modern)
  const isLegacy = async (req: NodeIncomingMessageLike, body: unknown) =>
    eras === 'legacy' || (eras === 'both' && (await isLegacyRequest(await toWebRequest(req, body), body)))
  const { url, stop } = await listen(async (req, res, body) => {
    const like = req as NodeIncomingMessageLike
    if (await isLegacy(like, body)) await sessions.handle(req, res, body)
    else await answerModern(like, res, body)
  })
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

type Handle = (req: IncomingMessage, res: ServerResponse, body: unknown) => Promise<void>

/** On loopback only, for loopback names only: the suite tries others. */
async function listen(handle: Handle): Promise<Fixture> {
  const isOurHost = localhostHostValidation()
  const isOurOrigin = localhostOriginValidation()
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    if (!isOurHost(req, res) || !isOurOrigin(req, res)) return
    const body = parsed(await text(req))
    if (req.url !== '/mcp') res.writeHead(404).end()
    else if (body === NOT_JSON) refuse(res, 400, { code: -32700, message: 'Parse error: Invalid JSON' })
    else await handle(req, res, body)
  }
  const server = createServer((req, res) => void answer(req, res).catch(() => res.destroy()))
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

const NOT_JSON = Symbol('not JSON')

/** Read once here: who is to answer is told from it. */
function parsed(body: string): unknown {
  if (body === '') return undefined
  try {
    return JSON.parse(body)
  } catch {
    return NOT_JSON
  }
}
