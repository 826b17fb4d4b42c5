import type { Era } from '@gatehouse/sdk'
import type { Child, ChildOptions } from './child.js'
import { openDuplex } from './duplex.js'
import type { Duplex } from './duplex.js'
import { PeerLost, fault } from './faults.js'
import { readProbe, readRefusal } from './http-dial.js'
import type { Probe } from './http-dial.js'
import { initializeRefused, initializeRequest, readInitialized } from './http-legacy.js'
import type { Peer, PeerContext } from './options.js'
import { listenStdio } from './stdio-listen.js'
import type { StdioListen } from './stdio-listen.js'
import type { ServerInfo } from './types.js'
import { parseJson } from '../mcp/json.js'

/** Starts a child whose lines and end go to the line that is being opened. */
export type StartChild = (hear: Pick<ChildOptions, 'onLine' | 'onEnd'>) => Child

/** JSON-RPC over the stdin and stdout of one child, before and after its era is settled. */
export interface StdioLine extends Pick<Duplex, 'busy' | 'request' | 'end'> {
  readonly child: Child
  notify(message: object): void
  /** Set once the era is settled: what it takes is nobody else's. */
  listening: StdioListen | null
}

export function openStdioLine(context: PeerContext, start: StartChild): StdioLine {
  const { slug, events, log } = context
  const duplex = openDuplex(context, {
    send(message) {
      if (child.isStuffed)
        throw fault('GH_UPSTREAM_UNREACHABLE', slug, 'does not read what it is sent', { retryable: true })
      return { bytes: child.send(message), hasLeft: true, over() {} }
    },
    tell: (message) => void child.send(message),
  })
  const child = start({
    onLine(text, bytes) {
      let value: unknown
      try {
        value = parseJson(text)
      } catch {
        return log.debug({ server: slug, bytes }, 'a line on stdout is not JSON and was skipped')
      }
      if (!line.listening?.takes(value)) duplex.take(value, bytes)
    },
    onEnd(why) {
      duplex.end(why)
      events.gone()
    },
  })
  const line: StdioLine = {
    child,
    listening: null,
    request: duplex.request,
    end: duplex.end,
    notify: (message) => void child.send(message),
    get busy() {
      return duplex.busy
    },
  }
  return line
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
    request: (request) => line.request(request, era),
    notify: (note) => era === 'legacy' && line.notify(note),
    async stop() {
      listen?.stop()
      line.end(fault('GH_UPSTREAM_UNREACHABLE', slug, 'was changed or removed meanwhile'))
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
