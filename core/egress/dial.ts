import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { DialPlace } from '@gatehouse/sdk'
import { serverName } from './connector.js'
import type { Connector } from './connector.js'
import { startDeadline } from './deadline.js'
import { failure } from './failure.js'
import type { Policy, Target } from './policy.js'

export interface DialParts {
  readonly policy: Policy
  readonly connectorTo: (target: Target) => Connector
  readonly connectMs: number
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string
}

type Dial = (place: DialPlace) => Promise<Socket>

/** One connection that is no HTTP, checked like all others; it throws a GatehouseError that names the host. */
export function createDial({ policy, connectorTo, connectMs, ca }: DialParts): Dial {
  return async ({ host, port, tls, signal }) => {
    const target = policy.place(host, port, tls !== false)
    const deadline = startDeadline(connectMs, target.host, signal)
    try {
      deadline.signal.throwIfAborted()
      const socket = await connected(connectorTo(target), target, deadline.signal)
      return tls === true ? await secured(socket, { target, ca, signal: deadline.signal }) : socket
    } catch (error) {
      throw deadline.signal.aborted ? deadline.signal.reason : failure(error, target.host, true)
    } finally {
      deadline.end()
    }
  }
}

function connected(connect: Connector, { host, port }: Target, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    connect({ hostname: host, host, protocol: 'http:', port: String(port) }, (error, socket) => {
      if (error !== null) return reject(error)
      // What breaks later is told by 'close': an error that nobody heard would end the process.
      socket.on('error', () => {})
      if (signal.aborted) socket.destroy()
      resolve(socket)
    })
  })
}

interface Securing {
  readonly target: Target
  readonly ca: string | undefined
  readonly signal: AbortSignal
}

// Not undici's own: it offers `http/1.1` by ALPN, which a server of another protocol has to refuse (RFC 7301, section 3.2).
function secured(socket: Socket, { target, ca, signal }: Securing): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const trusted = ca === undefined ? {} : { ca }
    const secure = connectTls({ ...trusted, socket, host: target.host, servername: serverName(target) })
    const fail = (error: unknown) => {
      secure.destroy()
      reject(error)
    }
    signal.addEventListener('abort', () => fail(signal.reason), { once: true })
    secure.on('error', fail).once('secureConnect', () => resolve(secure))
  })
}
