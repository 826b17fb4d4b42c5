import { hash } from 'node:crypto'
import { definePlugin, notMine, type Credentials, type Identification } from '@gatehouse/sdk'
import { z } from 'zod'

/** A scheme is of any case (RFC 9110, section 11.1); a token is taken exactly as it was minted. */
const BEARER = /^bearer +(.*)$/is
/** `API_` and 256 random bits in base64url (43 characters). */
const TOKEN = /^API_[A-Za-z0-9_-]{43}$/
/** What the authorization server gives to AI clients: the same without a prefix. */
const GRANTED = /^[A-Za-z0-9_-]{43}$/

/**
 * `Authorization: Bearer API_…`, or an access token of the gateway's authorization server (RFC 6750). Answers the SHA-256
 * of the token; whether it is known, and whose it is, core tells. A malformed `API_` token is refused at once, anything else
 * is left to the next plugin.
 */
function identify(credentials: Credentials): Identification {
  const token = BEARER.exec(credentials.authorization ?? '')?.[1]
  if (token === undefined) return notMine()
  if (GRANTED.test(token)) return { kind: 'token', hash: hash('sha256', token) }
  if (!token.startsWith('API_')) return notMine()
  if (!TOKEN.test(token)) return { kind: 'refused', reason: 'malformed access token' }
  return { kind: 'token', hash: hash('sha256', token) }
}

export default definePlugin({
  id: 'auth-token',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    context.on('auth.identify', identify)
  },
})
