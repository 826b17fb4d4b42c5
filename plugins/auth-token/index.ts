import { createHash } from 'node:crypto'
import { definePlugin, notMine, type Credentials, type Identification } from '@gatehouse/sdk'
import { z } from 'zod'

/** An access token as the gateway mints it: `API_` and 256 random bits in base64url (43 characters). */
const TOKEN = /^Bearer +(API_[A-Za-z0-9_-]{43})$/i
const LOOKS_LIKE_OURS = /^Bearer +API_/i

/**
 * `Authorization: Bearer API_…` (RFC 6750). Answers the SHA-256 of the token; whether it is known, and whose it is, core
 * tells. A malformed token of this kind is refused at once, anything else is left to the next plugin.
 */
export function identify(credentials: Credentials): Identification {
  const header = credentials.authorization
  if (header === undefined || !LOOKS_LIKE_OURS.test(header)) return notMine()
  const token = TOKEN.exec(header)?.[1]
  if (token === undefined) return { kind: 'refused', reason: 'malformed access token' }
  return { kind: 'token', hash: createHash('sha256').update(token).digest('hex') }
}

export default definePlugin({
  id: 'auth-token',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    context.on('auth.identify', identify)
  },
})
