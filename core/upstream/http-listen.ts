import { GatehouseError } from '../errors.js'
import type { Calls } from './calls.js'
import { MODERN_HEADERS, createEnvelope, enclose, modernHeaders } from './envelope.js'
import { brokenProtocol } from './faults.js'
import { holdStream } from './held-stream.js'
import type { HttpAnswer } from './http-call.js'
import type { HttpWire } from './http-wire.js'
import { acknowledgedUris, createListen } from './listen.js'
import type { Listen } from './listen.js'
import { readMessage } from './message.js'
import type { Message } from './message.js'
import { listChangedKind, watchedLists } from './options.js'
import type { PeerContext } from './options.js'
import type { ServerInfo } from './types.js'

/** Listens to a server of the modern era over HTTP: one POST whose answer stays open, opened anew when it is lost. */
export function listenHttp(context: PeerContext, wire: HttpWire, info: ServerInfo, calls: Calls): Listen {
  const { slug, events, timing } = context
  const envelope = createEnvelope(context.clientInfo, context.of.target.ability)()
  let opened = 0

  function onNote(note: Extract<Message, { kind: 'note' | 'request' }>): void {
    const kind = listChangedKind(note.raw.method)
    if (kind) events.listChanged(kind)
    else if (note.kind === 'note' && !calls.progress(note.raw)) events.note(note.raw)
  }

  return createListen({
    lists: watchedLists(info.capabilities),
    timing,
    open(notifications, told) {
      const id = `gatehouse-listen-${(opened += 1)}`
      const params = enclose({ notifications }, envelope)
      const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params }))
      const headers = MODERN_HEADERS.concat(modernHeaders('subscriptions/listen', params))
      const onMessage = (value: unknown): boolean => {
        const message = readMessage(value)
        if (message.kind === 'broken') throw brokenProtocol(slug, message.why)
        if (message.kind === 'reply') return true
        const granted = acknowledgedUris(message.raw)
        if (granted === null) onNote(message)
        else told.acknowledged(granted)
        return false
      }
      const held = holdStream({
        context,
        ready: wire.ready,
        open: (onOpen) =>
          wire.send({ method: 'POST', headers, body, onMessage, onStream: onOpen, silence: timing.listenSilence }),
        again(outcome, livedMs) {
          const returns = comesBack(outcome, livedMs > timing.reopen)
          told.lost(returns)
          return returns
        },
        onReopen: () => events.reopened(),
      })
      return held.stop
    },
  })
}

function comesBack(outcome: HttpAnswer | GatehouseError, wasKept: boolean): boolean {
  if (outcome instanceof GatehouseError) return true
  // A server that grants nothing answers at once; one that ends a stream it has kept asks us to come back.
  if (outcome.stream) return !outcome.stream.answered || wasKept
  return outcome.status >= 500 || outcome.status === 429
}
