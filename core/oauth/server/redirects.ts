import { isLoopbackName } from '../../domain/loopback.js'

/** Where people may be sent back to. */
const MOST = 10

export const isLoopback = (uri: URL): boolean => uri.protocol === 'http:' && isLoopbackName(uri.hostname)

/**
 * What is wrong with the redirect URIs of a client; null: nothing. https, http to this very machine (RFC 8252, section 7.3), and
 * the private schemes that are allowed: any other program could answer for the rest.
 */
export function faultOf(uris: readonly unknown[], schemes: readonly string[]): string | null {
  if (uris.length > MOST) return `redirect_uris: at most ${MOST}`
  for (const uri of uris) {
    const fault = typeof uri === 'string' && uri.length <= 2_048 ? faultOfOne(uri, schemes) : 'is no URI'
    if (fault !== null) return `redirect_uris: ${String(uri).slice(0, 200)} ${fault}`
  }
  return null
}

function faultOfOne(text: string, schemes: readonly string[]): string | null {
  // oxlint-disable-next-line no-control-regex
  if (!URL.canParse(text) || /[\x00-\x20\x7f\\]/.test(text)) return 'is no absolute URI'
  const uri = new URL(text)
  if (text.includes('#')) return 'has a fragment'
  if (uri.username !== '' || uri.password !== '') return 'has a user name'
  if (uri.protocol === 'https:') return uri.hostname === '' ? 'has no host' : null
  if (uri.protocol === 'http:') return isLoopback(uri) ? null : 'is http to another machine'
  return schemes.includes(uri.protocol.slice(0, -1)) ? null : `has a scheme that is not allowed here (${uri.protocol})`
}

/** The URI as it is told apart: on this machine without its port, which is another one each time. Else it is the text that counts. */
export const withoutPort = (text: string): string =>
  text.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d*(?=[/?]|$)/, '$1')

/** Who stands behind a redirect URI, for people: a host, this computer, or an app. */
export function placeOf(text: string): string {
  const uri = new URL(text)
  if (isLoopback(uri)) return 'this computer'
  return uri.protocol === 'https:' ? uri.host : `an app (${uri.protocol.slice(0, -1)}:)`
}

/** The same for a machine: what a client is grouped by. */
export function placesOf(uris: readonly string[]): readonly string[] {
  return [...new Set(uris.map(placeOf))].toSorted()
}
