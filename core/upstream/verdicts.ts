import { createHash } from 'node:crypto'
import type { Era } from '@gatehouse/sdk'
import type { Protocol, Server } from '../domain/nouns.js'
import type { ServerInfo } from './types.js'

/** Which era a server was found to speak. `subject` changes with its address, so that an old verdict is not believed. */
export interface Verdict {
  readonly era: Era
  readonly version: string
  readonly transport: 'http' | 'sse' | 'stdio'
  readonly subject: string
  readonly checkedAt: number
  readonly expiresAt: number
}

/** Where verdicts outlive the process. Failures are the store's own to report; here they count as "unknown". */
export interface VerdictStore {
  get(serverId: string): Promise<Verdict | null>
  set(serverId: string, verdict: Verdict): Promise<void>
}

const DAY = 86_400_000
const HOUR = 3_600_000

export interface Verdicts {
  /** What is known of this server at this address, expired or not. */
  get(server: Server): Promise<Verdict | null>
  learn(server: Server, found: Found): Verdict
  /** What was known or stored is not believed any more, until it is learnt anew. */
  doubt(serverId: string): void
}

/** What was opened. */
interface Found {
  readonly info: Pick<ServerInfo, 'era' | 'version'>
  readonly transport?: 'sse'
}

/** How to speak to a server: its era, or the older transport of the legacy one. */
export type Dialect = Exclude<Protocol, 'auto'>

export const dialectOf = ({ era, transport }: Verdict): Dialect => (transport === 'sse' ? 'sse' : era)

export function createVerdicts(store: VerdictStore | undefined): Verdicts {
  const known = new Map<string, Verdict | null>()
  return {
    async get(server) {
      const held = known.get(server.id)
      const verdict = held === undefined ? ((await store?.get(server.id).catch(() => null)) ?? null) : held
      if (!verdict || verdict.subject !== subjectOf(server)) return null
      known.set(server.id, verdict)
      return verdict
    },
    learn(server, found) {
      const verdict = makeVerdict(server, found)
      known.set(server.id, verdict)
      store?.set(server.id, verdict).catch(() => undefined)
      return verdict
    },
    doubt: (serverId) => void known.set(serverId, null),
  }
}

/** Modern holds for a day; legacy for an hour, give or take a tenth so that many servers are not probed at once. */
function makeVerdict(server: Server, { info: { era, version }, transport: older }: Found): Verdict {
  const now = Date.now()
  const life = era === 'modern' ? DAY : HOUR * (0.9 + Math.random() * 0.2)
  const transport = server.command ? 'stdio' : (older ?? 'http')
  return { era, version, transport, subject: subjectOf(server), checkedAt: now, expiresAt: now + Math.round(life) }
}

function subjectOf(server: Server): string {
  return createHash('sha256')
    .update(JSON.stringify([server.url, server.command]))
    .digest('base64url')
    .slice(0, 16)
}
