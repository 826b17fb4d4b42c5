import { createHash } from 'node:crypto'
import type { RuleConfig } from './config.js'

/** SHA-256 of the canonical JSON (RFC 8785), in hexadecimal. */
export function configDigest(config: RuleConfig): string {
  const members = Object.keys(config)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(config[key])}`)
  return createHash('sha256')
    .update(`{${members.join(',')}}`)
    .digest('hex')
}
