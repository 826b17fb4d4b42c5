import type { JsonObject } from '@gatehouse/sdk'
import { SUBSCRIPTION_KEY, createEnvelope, enclose } from './envelope.js'
import { acknowledgedUris, createListen } from './listen.js'
import type { Listen, ListenEvents } from './listen.js'
import { isObject } from './message.js'
import { watchedLists } from './options.js'
import type { PeerContext } from './options.js'
import type { ServerInfo } from './types.js'

/** Listens to a child of the modern era: a request that stays open, and notes that name it. */
export interface StdioListen extends Listen {
  /** True for what only says that the server has begun to tell. */
  note(note: JsonObject): boolean
  /** The server has ended the request of this id, or refused it. */
  replied(id: unknown): void
}

export function listenStdio(context: PeerContext, send: (message: object) => void, info: ServerInfo): StdioListen {
  const streams = new Map<string, ListenEvents>()
  const envelope = createEnvelope(context.clientInfo, context.of.target.ability)()
  let opened = 0
  const listen = createListen({
    lists: watchedLists(info.capabilities),
    timing: context.timing,
    open(notifications, told) {
      const id = `gatehouse-listen-${(opened += 1)}`
      streams.set(id, told)
      send({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params: enclose({ notifications }, envelope) })
      return () => {
        if (!streams.delete(id)) return
        send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
      }
    },
  })
  return {
    ...listen,
    note(note) {
      const granted = acknowledgedUris(note)
      if (granted === null) return false
      const meta = isObject(note['params']) ? note['params']['_meta'] : undefined
      streams.get(String(isObject(meta) ? meta[SUBSCRIPTION_KEY] : undefined))?.acknowledged(granted)
      return true
    },
    replied(id) {
      if (typeof id !== 'string') return
      streams.get(id)?.lost(false)
      streams.delete(id)
    },
  }
}
