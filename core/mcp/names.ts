import { createHash } from 'node:crypto'
import type { Gateway } from '../domain/nouns.js'

const LONGEST = 64
const SEPARATOR = '__'

/**
 * The public names that a tool or prompt would take on a gateway, in order of preference; the first that is free becomes
 * its name for ever. A bare name is the upstream's own, byte for byte; a prefixed one fits `[A-Za-z0-9_.-]{1,64}`.
 */
export function candidates(mode: Gateway['prefix'], prefix: string, upstreamName: string): string[] {
  if (mode === 'never') return [upstreamName]
  const prefixed = prefixedNames(prefix, upstreamName)
  return mode === 'always' ? prefixed : [upstreamName, ...prefixed]
}

/** The readable form, then two that end in a hash, for the case that somebody else already has the former. */
function prefixedNames(prefix: string, upstreamName: string): string[] {
  const whole = prefix + SEPARATOR + upstreamName
  const safe = whole.replaceAll(/[^A-Za-z0-9_.-]/g, '_')
  const hashed = [whole, `${whole}\n2`].map((text) => cut(safe, hashOf(text)))
  return safe.length <= LONGEST ? [safe, ...hashed] : hashed
}

function cut(name: string, hash: string): string {
  return `${name.slice(0, LONGEST - hash.length - 1)}_${hash}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
