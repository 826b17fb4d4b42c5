import type { JsonObject } from '@gatehouse/sdk'
import { isObject } from '../mcp/message.js'

/**
 * Progress of ours to a client that asked for some: while a person thinks, the server has nothing to tell, and clients give
 * up a call that is silent for too long.
 */
export interface Pulse {
  /** A note of the server on its way to the client: false when its value is not above what we have told since. */
  mayPass(note: JsonObject): boolean
  /** While this work lasts the client hears something at least so often. */
  during<T>(work: Promise<T>): Promise<T>
}

export interface PulseOptions {
  /** The client's own. */
  readonly token: string | number
  readonly tell: (note: JsonObject) => void
  readonly everyMs?: number | undefined
}

const EVERY_MS = 15_000
/** `progress` must rise with each note (all revisions, progress): by less than anybody sees. */
const HAIR = 1e-6

export function createPulse({ token, tell, everyMs = EVERY_MS }: PulseOptions): Pulse {
  let heard: { readonly progress: number; readonly total: unknown } | null = null
  let own = -Infinity
  let lastAt = Date.now()
  let waiting = 0
  let timer: NodeJS.Timeout | undefined

  const beat = () => {
    const last = Math.max(own, heard?.progress ?? -Infinity)
    own = last === -Infinity ? 0 : last + Math.max(1, Math.abs(last)) * HAIR
    const total = typeof heard?.total === 'number' && own <= heard.total ? { total: heard.total } : {}
    const params = { progressToken: token, progress: own, ...total, message: 'Waiting for an answer to a question' }
    lastAt = Date.now()
    tell({ jsonrpc: '2.0', method: 'notifications/progress', params })
    arm()
  }
  const arm = () => {
    timer = setTimeout(beat, Math.max(0, lastAt + everyMs - Date.now()))
  }

  return {
    mayPass(note) {
      const { progress, total } = note.method === 'notifications/progress' && isObject(note.params) ? note.params : {}
      if (typeof progress !== 'number') return true
      if (progress <= own) return false
      heard = { progress, total }
      lastAt = Date.now()
      return true
    },
    async during(work) {
      if ((waiting += 1) === 1) arm()
      try {
        return await work
      } finally {
        if ((waiting -= 1) === 0) clearTimeout(timer)
      }
    },
  }
}
