import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import { GatehouseError } from '../errors.js'

/** The address of the client: the socket's, or the last one in `X-Forwarded-For` that no trusted proxy added itself. */
export function createAddressOf(trusted: readonly string[]): (req: IncomingMessage) => string {
  const ranges = trusted.map(readRange)
  const isTrusted = (address: string) => {
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
  }
  return (req) => {
    const socket = plain(req.socket.remoteAddress ?? '')
    if (ranges.length === 0 || !isTrusted(socket)) return socket
    const forwarded = String(req.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((part) => plain(part.trim()))
      .filter((part) => ipaddr.isValid(part))
    return forwarded.findLast((address) => !isTrusted(address)) ?? socket
  }
}

const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '')

function readRange(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text)
    const address = ipaddr.process(text)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  } catch (cause) {
    throw new GatehouseError('GH_CONFIG_INVALID', {
      message: `GATEHOUSE_TRUSTED_PROXIES: '${text}' is neither an address nor a CIDR`,
      cause,
    })
  }
}
