import { isLoopback, LOOPBACK_NAMES } from '../domain/loopback.js'

/** Which names this gateway answers to; everything else is DNS rebinding or a mistake (2025-11-25, transports, "Security Warning"). */
export interface OwnNames {
  /** `Host` is ours. The port is not compared: a published container port differs from ours. */
  hostIsOurs(header: string | undefined): boolean
  /** There is no `Origin`, or it is one of ours. `null` origins are foreign. */
  originIsOurs(header: string | undefined): boolean
}

/** The public name always; the names of loopback only while the gateway is bound to loopback. */
export function createOwnNames(publicUrl: string, boundTo: string): OwnNames {
  const names = new Set([new URL(publicUrl).hostname])
  if (isLoopback(boundTo)) for (const name of LOOPBACK_NAMES) names.add(name)
  const isOurs = (url: string) => URL.canParse(url) && names.has(new URL(url).hostname)
  // Every request of a client says the same: what was found ours once need not be parsed again.
  const known = new Set<string>()
  const hostIsOurs = (header: string) => {
    if (known.has(header)) return true
    const ours = isOurs(`http://${header}/`)
    if (ours && known.size < 1_000) known.add(header)
    return ours
  }
  return {
    hostIsOurs: (header) => header !== undefined && hostIsOurs(header),
    originIsOurs: (header) => header === undefined || isOurs(header),
  }
}
