import type { Gateway } from '../../domain/nouns.js'
import type { Snapshot } from '../../domain/snapshot.js'
import { decoded } from '../../domain/decode.js'
import { isLoopbackName } from '../../domain/loopback.js'

/**
 * What a token is for (RFC 8707): one gateway, or the one that the person will choose. `unknown`: one that is not there, which
 * nobody is told before they are signed in.
 */
export type Resource =
  | { readonly kind: 'picker' }
  | { readonly kind: 'gateway'; readonly gateway: Gateway }
  | { readonly kind: 'unknown'; readonly name: string }

const PATH = /^\/(?:mcp(?:\/([^/]+))?\/?)?$/

/**
 * Reads what a client sent as `resource`: with or without a slash at the end, the gateway in the path or as `?gateway=`. Null: it
 * is not ours.
 */
export function readResource(
  text: string,
  publicUrl: string,
  { gateways }: Pick<Snapshot, 'gateways'>,
): Resource | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || url.hash !== '' || !isOurs(url, new URL(publicUrl))) return null
  const match = PATH.exec(url.pathname)
  if (match === null) return null
  const name = match[1] ?? url.searchParams.get('gateway')
  if (name === null) return { kind: 'picker' }
  const plan = gateways.get(decoded(name))
  return plan === undefined ? { kind: 'unknown', name } : { kind: 'gateway', gateway: plan.gateway }
}

/** The one spelling of it, as protected-resource metadata says it. */
export const audienceOf = (resource: Resource, publicUrl: string): string =>
  resource.kind === 'picker'
    ? `${publicUrl}/mcp`
    : `${publicUrl}/mcp/${resource.kind === 'gateway' ? resource.gateway.id : resource.name}`

/** On this machine the same gateway has several names. */
const isOurs = (url: URL, own: URL): boolean =>
  url.protocol === own.protocol &&
  url.port === own.port &&
  (url.hostname === own.hostname || (isLoopbackName(url.hostname) && isLoopbackName(own.hostname)))
