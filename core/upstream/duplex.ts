import type { Era } from '@gatehouse/sdk'
import type { GatehouseError } from '../errors.js'
import { Roll } from '../domain/roll.js'
import { createAsked } from './asked.js'
import { createCalls } from './calls.js'
import type { Call } from './calls.js'
import { createEnvelope, enclose } from './envelope.js'
import { PeerLost, brokenProtocol, fault, neverSent } from './faults.js'
import { isObject, readMessage } from './message.js'
import type { Message, RpcNote, RpcRequest } from './message.js'
import { listChangedKind } from './options.js'
import type { PeerContext } from './options.js'
import type { UpstreamReply, UpstreamRequest } from './types.js'

/** A request on its way to the server. */
export interface Sent {
  readonly bytes: number
  /** False while the server surely has nothing of it; then it gets nothing once `over` was called. */
  readonly hasLeft: boolean
  /** Its call has ended, whichever way. */
  over(): void
}

/** How messages get to the server. What comes from it is given to `take`. */
export interface Carrier {
  /** Throws when nothing can be sent just now; `lost` is told when the server did not take the request. */
  send(message: object, lost: (why: unknown) => void): Sent
  /** For notes and for answers of ours, which nobody waits for. Never throws. */
  tell(message: object): void
}

/** Many calls over one way there and one way back, where answers come in any order and are told by their ids alone. */
export interface Duplex {
  readonly busy: boolean
  request(request: UpstreamRequest, era: Era): Promise<UpstreamReply>
  /** One message of the server. Gives what is wrong with it when it is no message, null when all is well. */
  take(value: unknown, bytes: number): string | null
  /** Nothing comes any more: whoever waits fails with this, and so does who comes later. */
  end(why: GatehouseError): void
}

/** A request that waits for its answer. */
interface Waiting {
  place: number
  readonly call: Call
  readonly take: (message: Message, bytes: number) => void
}

type Context = Pick<PeerContext, 'slug' | 'events' | 'clientInfo' | 'of'>

export function openDuplex({ slug, events, clientInfo, of }: Context, carrier: Carrier): Duplex {
  const calls = createCalls(slug)
  const asked = createAsked(calls, events, (note) => void (ended || carrier.tell(note)))
  const envelope = createEnvelope(clientInfo, of.target.ability)
  const waiting = new Roll<Waiting>()
  const strays = createStrays()
  let ended: GatehouseError | null = null

  function take(value: unknown, bytes: number): string | null {
    const id = isObject(value) && !('method' in value) ? value['id'] : undefined
    const asker = id === undefined ? undefined : waiting.find(({ call }) => call.id === id)
    const message = readMessage(value)
    if (asker) asker.take(message, bytes)
    else if (message.kind === 'note') onNote(message.raw)
    else if (message.kind === 'request') void answer(message.raw)
    else if (message.kind === 'broken') return message.why
    // An answer to nobody is a late one: its call was cancelled or ran out of time.
    else strays.delete(message.id)
    return null
  }

  /** Nothing says whose a log note is: with one call under way it is that one's, unless another may still be worked on. */
  function onNote(note: RpcNote): void {
    const kind = listChangedKind(note.method)
    if (kind) return events.listChanged(kind)
    if (asked.takenBack(note)) return
    if (note.method === 'notifications/progress') return void calls.progress(note)
    if (note.method !== 'notifications/message') return events.note(note)
    const open = waiting.all().filter(({ call }) => call.request.method !== 'ping')
    if (open.length === 1 && !strays.any()) open[0]?.call.note(note)
    else events.note(note)
  }

  async function answer(request: RpcRequest): Promise<void> {
    const given = await asked.answer(request, null)
    if (!ended) carrier.tell({ jsonrpc: '2.0', id: request.id, ...given })
  }

  async function request(request: UpstreamRequest, era: Era): Promise<UpstreamReply> {
    if (ended) throw neverSent(ended)
    if (request.signal?.aborted) throw fault('GH_UPSTREAM_CANCELLED', slug, 'was no longer waited for')
    let call: Call | undefined
    let asker: Waiting | undefined
    let sent: Sent | undefined
    try {
      return await new Promise<UpstreamReply>((resolve, reject) => {
        call = calls.begin(request, reject)
        const params = era === 'modern' ? enclose(call.params, envelope(request.logLevel)) : call.params
        const way = carrier.send({ jsonrpc: '2.0', id: call.id, method: request.method, params }, reject)
        sent = way
        const takeReply = (message: Message, bytesReceived: number) => {
          if (message.kind !== 'reply')
            return reject(brokenProtocol(slug, message.kind === 'broken' ? message.why : 'a message that is no answer'))
          const { result, error } = message
          if (era === 'legacy' && error?.code === -32022)
            return reject(new PeerLost('era', brokenProtocol(slug, 'an error of another era')))
          resolve({ result, error, era, httpStatus: null, bytesSent: way.bytes, bytesReceived })
        }
        asker = { place: -1, call, take: takeReply }
        waiting.add(asker)
      })
    } catch (error) {
      if (!sent?.hasLeft) throw neverSent(error)
      if (call && !ended) tellGivenUp(call, error as GatehouseError)
      throw error
    } finally {
      sent?.over()
      if (asker) waiting.delete(asker)
      if (call) calls.end(call)
    }
  }

  function tellGivenUp(call: Call, { code }: GatehouseError): void {
    if (code !== 'GH_UPSTREAM_TIMEOUT' && code !== 'GH_UPSTREAM_CANCELLED') return
    strays.add(call.id)
    if (call.request.method === 'initialize') return
    carrier.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: call.id, reason: code } })
  }

  return {
    request,
    take,
    end(why) {
      ended ??= why
      calls.failAll(why)
      asked.end()
    },
    get busy() {
      return calls.size > 0
    },
  }
}

/** So long may a server go on with a call that was given up: a call's whole time. */
const STRAY_MS = 300_000

/**
 * Calls that were given up and not answered since. Their servers may still be at them and write to their logs: what they
 * write must not be taken for another call's, which may be another person's.
 */
function createStrays() {
  const until = new Map<unknown, number>()
  const forgetOld = () => {
    // The oldest stands first.
    for (const [id, end] of until) {
      if (end > Date.now()) return
      until.delete(id)
    }
  }
  return {
    add(id: number): void {
      forgetOld()
      until.set(id, Date.now() + STRAY_MS)
    },
    delete: (id: unknown) => void until.delete(id),
    any(): boolean {
      forgetOld()
      return until.size > 0
    },
  }
}
