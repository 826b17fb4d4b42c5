import { buildConnector, Pool } from 'undici'
import { serverName } from './connector.js'
import type { Connector, ConnectorOptions } from './connector.js'
import type { Target } from './policy.js'
import { admitIfResolvable } from './resolve.js'
import { GatehouseError } from '../errors.js'

/** The operator's outbound proxy. Its own address is not checked: it is configuration, not input. */
export interface Proxy {
  connector(target: Target, options: ConnectorOptions): Connector
  stop(): Promise<void>
}

/**
 * Reaches targets with `CONNECT`, plain http too, so that the proxy never sees a request. The name goes to the proxy
 * unresolved; it is resolved here only to refuse what it may lead to, as far as this machine can resolve it at all. What it
 * cannot must at least look public; what it leads to then is for the proxy's own rules.
 */
export function createProxy(url: string, connectMs: number): Proxy {
  const { origin, headers } = readProxy(url)
  const pool = new Pool(origin, { headersTimeout: connectMs, connect: { timeout: connectMs } })

  async function open(target: Target, options: ConnectorOptions) {
    const isKnown = await admitIfResolvable(options.lookup, options.policy, target, connectMs)
    if (!isKnown) options.policy.admitUnresolved(target)
    const path = authority(target)
    const { socket, statusCode } = await pool.connect({ path, headers: { ...headers, host: path } })
    if (statusCode === 200) return socket
    socket.on('error', () => {}).destroy()
    throw new GatehouseError('GH_EGRESS_UNREACHABLE', {
      message: `the outbound proxy did not connect to ${target.host}`,
      detail: `CONNECT ${path} was answered with ${statusCode}`,
    })
  }

  return {
    connector(target, options) {
      const startTls = buildConnector({ ...(options.ca === undefined ? {} : { ca: options.ca }), timeout: connectMs })
      return (request, callback) => {
        open(target, options).then(
          (socket) => {
            const httpSocket = socket as NonNullable<buildConnector.Options['httpSocket']>
            if (request.protocol === 'https:')
              startTls({ ...request, servername: serverName(target), httpSocket }, callback)
            else callback(null, httpSocket)
          },
          (error: unknown) => callback(error as Error, null),
        )
      }
    },
    stop: () => pool.destroy(),
  }
}

function authority({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function readProxy(text: string): { origin: string; headers: Record<string, string> } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new GatehouseError('GH_CONFIG_INVALID', { message: 'HTTPS_PROXY is not an http or https URL' })
  }
  if (!url.username) return { origin: url.origin, headers: {} }
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return {
    origin: url.origin,
    headers: { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` },
  }
}
