import { createSign } from 'node:crypto'
import { askService } from '@gatehouse/sdk'
import type { Asking, PluginContext } from '@gatehouse/sdk'
import { z } from 'zod'
import type { Key } from './config.js'

const Granted = z.object({ access_token: z.string().min(1), expires_in: z.number().min(0).default(3_600) })

export type Token = { readonly ok: true; readonly token: string } | { readonly ok: false; readonly message: string }

/** Gives a token that is good for at least a minute. Who asks while one is fetched waits for that one. */
export interface Tokens {
  get(asking: Asking): Promise<Token>
  /** The service did not take it: the next one is a new one. */
  forget(): void
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const MOST_BYTES = 65_536
const LEAST_LEFT_MS = 60_000

/** Tokens for a service account, by a signed assertion (RFC 7523, section 2.1). One is kept until it is about to end. */
export function createTokens({ fetch, now }: Pick<PluginContext<unknown>, 'fetch' | 'now'>, key: Key): Tokens {
  let kept: { readonly token: string; readonly until: number } | null = null
  let coming: Promise<Token> | null = null
  async function fetchOne(asking: Asking): Promise<Token> {
    const init = () => ({
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: formOf(key, now()),
      maxBytes: MOST_BYTES,
    })
    const answer = await askService(fetch, { url: key.token_uri, init, hints: HINTS }, asking)
    if (!answer.ok) return { ok: false, message: `no token for the service account: ${answer.message}` }
    const granted = Granted.safeParse(answer.json)
    if (!granted.success) return { ok: false, message: 'the token endpoint answered in an unknown shape' }
    kept = { token: granted.data.access_token, until: now() + granted.data.expires_in * 1_000 }
    return { ok: true, token: kept.token }
  }
  return {
    async get(asking) {
      if (kept !== null && kept.until - now() > LEAST_LEFT_MS) return { ok: true, token: kept.token }
      return (coming ??= fetchOne(asking).finally(() => (coming = null)))
    },
    forget: () => void (kept = null),
  }
}

const HINTS = { 400: "the key was withdrawn, or this machine's clock is wrong", 401: 'the key is not known' }

function formOf(key: Key, now: number): string {
  const seconds = Math.floor(now / 1_000)
  const header = { alg: 'RS256', typ: 'JWT', ...(key.private_key_id === undefined ? {} : { kid: key.private_key_id }) }
  const claims = { iss: key.client_email, scope: SCOPE, aud: key.token_uri, iat: seconds, exp: seconds + 3_600 }
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = createSign('RSA-SHA256').update(signed).sign(key.private_key, 'base64url')
  const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  return new URLSearchParams({ grant_type, assertion: `${signed}.${signature}` }).toString()
}
