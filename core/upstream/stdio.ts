import type { Era, JsonObject } from '@gatehouse/sdk'
import type { GatehouseError } from '../errors.js'
import { createAsked } from './asked.js'
import { createCalls } from './calls.js'
import type { Call } from './calls.js'
import type { Child, ChildOptions } from './child.js'
import { createEnvelope, enclose } from './envelope.js'
import { PeerLost, brokenProtocol, fault } from './faults.js'
import { readProbe, readRefusal } from './http-dial.js'
import type { Probe } from './http-dial.js'
import { initializeRefused, initializeRequest, readInitialized } from './http-legacy.js'
import { isObject, readMessage } from './message.js'
import type { RpcNote, RpcRequest } from './message.js'
import { listChangedKind } from './options.js'
import type { Peer, PeerContext } from './options.js'
import { listenStdio } from './stdio-listen.js'
import type { StdioListen } from './stdio-listen.js'
import type { ServerInfo, UpstreamReply, UpstreamRequest } from './types.js'
import { parseJson } from '../mcp/json.js'
import { Roll } from '../domain/roll.js'

/** Starts a child whose lines and end go to the line that is being opened. */
export type StartChild = (hear: Pick<ChildOptions, 'onLine' | 'onEnd'>) => Child

/** JSON-RPC over the stdin and stdout of one child, before and after its era is settled. */
export interface StdioLine {
  readonly child: Child
  readonly busy: boolean
  request(request: UpstreamRequest, era: Era): Promise<UpstreamReply>
  notify(message: object): void
  failAll(error: GatehouseError): void
  /** Set once the era is settled: who is asked first about notes and about answers that no request waits for. */
  listening: Pick<StdioListen, 'note' | 'replied'> | null
}

/** A request that waits for its answer on stdout. */
interface Waiting {
  place: number
  readonly call: Call
  readonly take: (line: JsonObject, bytes: number) => void
}

export function openStdioLine(context: PeerContext, start: StartChild): StdioLine {
  const { slug, events, log } = context
  const calls = createCalls(slug)
  const asked = createAsked(calls, events)
  const envelope = createEnvelope(context.clientInfo, context.of.target.ability)
  const waiting = new Roll<Waiting>()

  function onLine(line: string, bytes: number): void {
    let value: unknown
    try {
      value = parseJson(line)
    } catch {
      return log.debug({ server: slug, bytes }, 'a line on stdout is not JSON and was skipped')
    }
    const id = isObject(value) && !('method' in value) ? value['id'] : undefined
    const asker = id === undefined ? undefined : waiting.find(({ call }) => call.id === id)
    if (asker) return asker.take(value as JsonObject, bytes)
    const message = readMessage(value)
    if (message.kind === 'note') onNote(message.raw)
    else if (message.kind === 'request') void answer(message.raw)
    else if (message.kind === 'reply') self.listening?.replied(message.id)
    // Any other answer to nobody is a late one: its call was cancelled or ran out of time.
  }

  /** Over stdio nothing says whose a log note is: with one call under way it is that one's. */
  function onNote(note: RpcNote): void {
    const kind = listChangedKind(note.method)
    if (kind) return events.listChanged(kind)
    if (self.listening?.note(note)) return
    if (asked.takenBack(note)) return
    if (note.method === 'notifications/progress') return void calls.progress(note)
    const [only] = waiting.size === 1 ? waiting.all() : []
    if (only && note.method === 'notifications/message') only.call.note(note)
    else events.note(note)
  }

  async function answer(request: RpcRequest): Promise<void> {
    child.send({ jsonrpc: '2.0', id: request.id, ...(await asked.answer(request, null)) })
  }

  async function request(request: UpstreamRequest, era: Era): Promise<UpstreamReply> {
    if (ended) throw ended
    if (request.signal?.aborted) throw fault('GH_UPSTREAM_CANCELLED', slug, 'was no longer waited for')
    if (child.isStuffed)
      throw fault('GH_UPSTREAM_UNREACHABLE', slug, 'does not read what it is sent', { retryable: true })
    let call: Call | undefined
    let asker: Waiting | undefined
    try {
      return await new Promise<UpstreamReply>((resolve, reject) => {
        call = calls.begin(request, reject)
        const params = era === 'modern' ? enclose(call.params, envelope(request.logLevel)) : call.params
        const bytesSent = child.send({ jsonrpc: '2.0', id: call.id, method: request.method, params })
        const take = (value: JsonObject, bytesReceived: number) => {
          const message = readMessage(value)
          if (message.kind !== 'reply')
            return reject(brokenProtocol(slug, message.kind === 'broken' ? message.why : 'a message that is no answer'))
          const { result, error } = message
          resolve({ result, error, era, httpStatus: null, bytesSent, bytesReceived })
        }
        asker = { place: -1, call, take }
        waiting.add(asker)
      })
    } catch (error) {
      if (call && !ended) tellGivenUp(call, error as GatehouseError)
      throw error
    } finally {
      if (call) {
        if (asker) waiting.delete(asker)
        calls.end(call)
      }
    }
  }

  function tellGivenUp(call: Call, { code }: GatehouseError): void {
    if (call.request.method === 'initialize' || code === 'GH_UPSTREAM_PROTOCOL') return
    child.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: call.id, reason: code } })
  }

  let ended: GatehouseError | null = null
  const child = start({
    onLine,
    onEnd(why) {
      ended = why
      calls.failAll(why)
      events.gone()
    },
  })
  const self: StdioLine = {
    child,
    request,
    listening: null,
    notify: (message) => void child.send(message),
    failAll: (error) => calls.failAll(error),
    get busy() {
      return calls.size > 0
    },
  }
  return self
}

/** Asks for the modern era: silence, an exit or any word of older servers says that it is not spoken. */
export async function probeStdio(context: PeerContext, line: StdioLine): Promise<Probe> {
  const abort = new AbortController()
  const { coldStart, probe } = context.timing
  let timer: NodeJS.Timeout | undefined
  void line.child.firstOutput.then(() => (timer = setTimeout(() => abort.abort(), probe)))
  const discover = { method: 'server/discover', params: {}, deadline: Date.now() + coldStart, signal: abort.signal }
  try {
    const { result, error } = await line.request(discover, 'modern').catch(() => ({ result: null, error: null }))
    return result ? readProbe(context.slug, result) : readRefusal(context, error)
  } finally {
    abort.abort()
    clearTimeout(timer)
  }
}

export async function openStdioPeer(context: PeerContext, line: StdioLine, era: Era): Promise<Peer> {
  const { slug } = context
  const info = era === 'modern' ? await discover(context, line) : await initialize(context, line)
  const listen = era === 'modern' ? listenStdio(context, line.notify, info) : null
  line.listening = listen
  return {
    info,
    ...(listen === null ? {} : { listen: listen.listen }),
    stateful: era === 'legacy',
    get busy() {
      return line.busy
    },
    async request(request) {
      const reply = await line.request(request, era)
      if (era === 'legacy' && reply.error?.code === -32022)
        throw new PeerLost('era', brokenProtocol(slug, 'an error of another era'))
      return reply
    },
    notify: (note) => era === 'legacy' && line.notify(note),
    async stop() {
      listen?.stop()
      line.failAll(fault('GH_UPSTREAM_UNREACHABLE', slug, 'was changed or removed meanwhile'))
      await line.child.stop()
    },
  }
}

async function initialize(context: PeerContext, line: StdioLine): Promise<ServerInfo> {
  const request = { ...initializeRequest(context), deadline: Date.now() + context.timing.coldStart }
  const { result, error } = await line.request(request, 'legacy')
  if (!result) throw initializeRefused(context.slug, error)
  const info = readInitialized(context.slug, result)
  line.notify({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return info
}

async function discover(context: PeerContext, line: StdioLine): Promise<ServerInfo> {
  const request = { method: 'server/discover', params: {}, deadline: Date.now() + context.timing.coldStart }
  const { result, error } = await line.request(request, 'modern')
  const probe = result ? readProbe(context.slug, result) : readRefusal(context, error)
  if (probe === 'not modern')
    throw new PeerLost('era', fault('GH_UPSTREAM_PROTOCOL', context.slug, 'does not speak the modern era'))
  return probe
}
