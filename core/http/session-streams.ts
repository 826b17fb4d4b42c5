import type { ServerResponse } from 'node:http'
import { openEventStream, type EventStream } from './event-stream.js'

/** The standing GET streams of legacy sessions: one each, a newer one replaces the older. */
export interface SessionStreams {
  open(sessionId: string, gatewayId: string, res: ServerResponse): void
  close(sessionId: string): void
  /** Tells every session of these gateways that a list changed. */
  listChanged(gatewayIds: ReadonlySet<string>, kind: 'tools' | 'prompts' | 'resources'): void
  stop(): void
}

export function createSessionStreams(): SessionStreams {
  const streams = new Map<string, { readonly gatewayId: string; readonly stream: EventStream }>()
  const close = (sessionId: string) => {
    streams.get(sessionId)?.stream.end()
    streams.delete(sessionId)
  }
  return {
    open(sessionId, gatewayId, res) {
      close(sessionId)
      const entry = { gatewayId, stream: openEventStream(res) }
      streams.set(sessionId, entry)
      res.once('close', () => {
        if (streams.get(sessionId) === entry) streams.delete(sessionId)
      })
    },
    close,
    listChanged(gatewayIds, kind) {
      const note = { jsonrpc: '2.0', method: `notifications/${kind}/list_changed` }
      for (const { gatewayId, stream } of streams.values()) if (gatewayIds.has(gatewayId)) stream.note(note)
    },
    stop() {
      for (const sessionId of streams.keys()) close(sessionId)
    },
  }
}
