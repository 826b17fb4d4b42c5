import { SUBSCRIPTION_KEY, createEnvelope, enclose } from './envelope.js'
import { acknowledgedUris, createListen } from './listen.js'
import type { Listen, ListenEvents } from './listen.js'
import { isObject } from './message.js'
import { watchedLists } from './options.js'
import type { PeerContext } from './options.js'
import type { ServerInfo } from './types.js'

/** Listens to a child of the modern era: a request that stays open, and notes that name it. */
export interface StdioListen extends Listen {
  /** True for what is about the listening itself: that the server has begun to tell, that it tells no more. */
  takes(value: unknown): boolean
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
    takes(value) {
      if (!isObject(value)) return false
      const granted = acknowledgedUris(value)
      const { id, params } = value
      if (granted !== null) {
        const meta = isObject(params) && isObject(params['_meta']) ? params['_meta'] : {}
        streams.get(String(meta[SUBSCRIPTION_KEY]))?.acknowledged(granted)
        return true
      }
      if ('method' in value || typeof id !== 'string') return false
      streams.get(id)?.lost(false)
      return streams.delete(id)
    },
  }
}
