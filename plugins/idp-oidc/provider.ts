import type { IdpFailure, IdpInstance, PluginContext } from '@gatehouse/sdk'
import { createRemoteJWKSet, customFetch as joseFetch, type JWTVerifyGetKey } from 'jose'
import * as client from 'openid-client'
import { isLoopback, settle, type Settled } from './config.js'
import { asWebFetch } from './web-fetch.js'

const HOUR = 3_600_000
const KEYS_MS = 10 * 60_000
/** An unknown key has them fetched anew, but not more often than this. */
const KEYS_AGAIN_MS = 1_000
/** More configurations than a workspace has; past it the oldest is forgotten. */
const MOST = 100

/** What a provider signs with. `none` and the symmetric ones are out: whoever knows the client secret could sign. */
export const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** A provider whose metadata was read. */
export interface Known {
  readonly settled: Settled
  readonly configuration: client.Configuration
  readonly keys: JWTVerifyGetKey
}

export interface Providers {
  /** From what was read within the last hour. Throws what `failureOf` understands. */
  get(idp: IdpInstance): Promise<Known>
  /** The same, read now. */
  read(idp: IdpInstance): Promise<Known>
}

interface Held {
  readonly at: number
  readonly known: Promise<Known>
}

/** Each configuration of a provider, by all that it says: a change of it is another one. */
export function createProviders({ fetch, now }: Pick<PluginContext<unknown>, 'fetch' | 'now'>): Providers {
  const held = new Map<string, Held>()
  const web = asWebFetch(fetch)
  const read = (idp: IdpInstance): Promise<Known> => {
    const key = keyOf(idp)
    const entry = { at: now(), known: discover(settle(idp.config), web) }
    held.delete(key)
    held.set(key, entry)
    for (const oldest of held.keys()) if (held.size > MOST) held.delete(oldest)
    // What failed is tried again by the next who asks.
    entry.known.catch(() => held.get(key) === entry && held.delete(key))
    return entry.known
  }
  return {
    read,
    get(idp) {
      const found = held.get(keyOf(idp))
      return found !== undefined && now() - found.at < HOUR ? found.known : read(idp)
    },
  }
}

const keyOf = (idp: IdpInstance): string => `${idp.id} ${JSON.stringify(idp.config)}`

async function discover(settled: Settled, web: ReturnType<typeof asWebFetch>): Promise<Known> {
  const issuer = new URL(settled.issuer)
  const isPlain = issuer.protocol === 'http:' && isLoopback(issuer.hostname)
  const configuration = await client.discovery(issuer, settled.clientId, {}, authentication(settled), {
    [client.customFetch]: web as client.CustomFetch,
    timeout: 10,
    ...(isPlain ? { execute: [client.allowInsecureRequests] } : {}),
  })
  const { jwks_uri: jwksUri, issuer: named } = configuration.serverMetadata()
  // RFC 8414 section 3.3 and OpenID Connect Discovery section 4.3: identical, sign for sign.
  if (named !== settled.issuer) throw new Refusal(`the provider calls itself ${named}, not ${settled.issuer}`)
  if (jwksUri === undefined) throw new Refusal('the provider names no jwks_uri')
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    [joseFetch]: web,
    cacheMaxAge: KEYS_MS,
    cooldownDuration: KEYS_AGAIN_MS,
    timeoutDuration: 8_000,
  })
  return { settled, configuration, keys }
}

function authentication({ clientSecret, tokenAuth }: Settled): client.ClientAuth {
  if (clientSecret === null) return client.None()
  const [basic, post] = [client.ClientSecretBasic(clientSecret), client.ClientSecretPost(clientSecret)]
  if (tokenAuth !== null) return tokenAuth === 'basic' ? basic : post
  return (server, ...rest) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const auth = !taken.includes('client_secret_basic') && taken.includes('client_secret_post') ? post : basic
    return auth(server, ...rest)
  }
}

/** A check of ours said no. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/** What was thrown on the way to a provider, as an answer. Nothing in it repeats what was sent. */
export function failureOf(thrown: unknown): IdpFailure {
  if (thrown instanceof Refusal) return { ok: false, failure: 'refused', reason: thrown.message }
  if (thrown instanceof client.AuthorizationResponseError || thrown instanceof client.ResponseBodyError)
    return { ok: false, failure: 'refused', reason: `the provider answered ${thrown.error.slice(0, 100)}` }
  const { code, message } = thrown as { code?: unknown; message?: unknown }
  const said = [code, message].filter((part) => typeof part === 'string').join(': ')
  const reason = (said === '' ? 'no answer' : said).slice(0, 300)
  return { ok: false, failure: isAway(thrown) ? 'unavailable' : 'refused', reason }
}

/** Neither the way nor the provider's own server is the fault of who signs in. */
function isAway(thrown: unknown): boolean {
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
    const { code, name, cause } = error as Error & { code?: unknown }
    if (typeof code === 'string' && /^GH_EGRESS_|TIMEOUT|^E[A-Z]+$/.test(code)) return true
    if (/^(TimeoutError|AbortError|JWKSTimeout)$/.test(name)) return true
    if (cause instanceof Response && cause.status >= 500) return true
  }
  return false
}
