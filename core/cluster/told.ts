import { hash } from 'node:crypto'
import { LONGEST_PAYLOAD, type Publishing } from './publishing.js'
import type { Replicas } from './replicas.js'

/**
 * What the client of a session tells without naming whom it concerns: that it takes a request back, for the replica that is
 * at it; that its roots changed, for every replica that has spoken to a server for it.
 */
export type Told = { readonly cancelled: string | number } | 'rootsChanged'

export interface SessionTold {
  /** To the other replicas, as best it can, like the notification itself. The session's id stays here: its hash is told. */
  tell(sessionId: string, told: Told): void
  /** Told what came in at other replicas. Answers how to stop listening. */
  onTold(listener: (sessionHash: string, told: Told) => void): () => void
}

export function createSessionTold(
  publishing: Pick<Publishing, 'publish' | 'on'>,
  replicas: Pick<Replicas, 'id' | 'alone'>,
): SessionTold {
  return {
    tell(sessionId, told) {
      const payload = JSON.stringify([replicas.id, hash('sha256', sessionId), told])
      if (replicas.alone() || Buffer.byteLength(payload) > LONGEST_PAYLOAD) return
      publishing.publish('told', payload).catch(() => undefined)
    },
    onTold: (listener) =>
      publishing.on('told', (payload) => {
        const read = parse(payload)
        if (read !== null && read.from !== replicas.id) listener(read.sessionHash, read.told)
      }),
  }
}

/** Null for what is none of ours: whoever may open the database may notify. */
function parse(payload: string): { from: unknown; sessionHash: string; told: Told } | null {
  try {
    const [from, sessionHash, told] = JSON.parse(payload) as [unknown, unknown, { cancelled?: unknown } | null]
    if (typeof sessionHash !== 'string') return null
    if (told === ('rootsChanged' as unknown)) return { from, sessionHash, told: 'rootsChanged' }
    const cancelled = told?.cancelled
    if (typeof cancelled !== 'string' && typeof cancelled !== 'number') return null
    return { from, sessionHash, told: { cancelled } }
  } catch {
    return null
  }
}
