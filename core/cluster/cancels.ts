import { hash } from 'node:crypto'
import { LONGEST_PAYLOAD, type Publishing } from './publishing.js'
import type { Replicas } from './replicas.js'

/** That a client takes back a request of its session, told to the replica that is at it: the message does not name it. */
export interface Cancels {
  /** Best effort, like the notification itself. The session's id stays here: its hash is told. */
  tell(sessionId: string, requestId: string | number): void
  /** Answers how to stop listening. Heard from all replicas, this one too. */
  onCancel(listener: (sessionHash: string, requestId: string | number) => void): () => void
}

export function createCancels(
  publishing: Pick<Publishing, 'publish' | 'on'>,
  replicas: Pick<Replicas, 'alone'>,
): Cancels {
  return {
    tell(sessionId, requestId) {
      const payload = JSON.stringify([hash('sha256', sessionId), requestId])
      if (replicas.alone() || Buffer.byteLength(payload) > LONGEST_PAYLOAD) return
      publishing.publish('cancelled', payload).catch(() => undefined)
    },
    onCancel: (listener) =>
      publishing.on('cancelled', (payload) => {
        const told = read(payload)
        if (told !== null) listener(...told)
      }),
  }
}

/** Whoever may open the database may notify. */
function read(payload: string): [string, string | number] | null {
  try {
    const [sessionHash, requestId] = JSON.parse(payload) as [unknown, unknown]
    if (typeof sessionHash !== 'string') return null
    return typeof requestId === 'string' || typeof requestId === 'number' ? [sessionHash, requestId] : null
  } catch {
    return null
  }
}
