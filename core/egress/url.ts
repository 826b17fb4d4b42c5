import { GatehouseError } from '../errors.js'

/** Parses what a person or a plugin wrote; the text itself is not repeated, it may carry a secret. */
export function readUrl(url: string | URL): URL {
  if (url instanceof URL) return url
  if (URL.canParse(url)) return new URL(url)
  throw new GatehouseError('GH_EGRESS_REFUSED', { message: 'the address is not a URL' })
}
