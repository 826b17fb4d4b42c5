import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import type { IdpDescription } from '@gatehouse/sdk'
import type { Idp } from '../domain/nouns.js'
import type { IdpLinkRepository } from '../domain/store.js'

/** An issuer whose assertions stand for people of this workspace (ID-JAG, RFC 7523). */
export interface TrustedIssuer {
  readonly issuer: string
  readonly idpId: string
  /** Its keys, for `jwtVerify`. */
  readonly keys: JWTVerifyGetKey
}

export interface TrustedIssuers {
  /** Null unless an enabled identity provider with `trustAssertions` is that issuer. Throws when it cannot be asked. */
  of(issuer: string): Promise<TrustedIssuer | null>
  /** The person here whom this issuer knows by that name; null for one who has never signed in from there. */
  personOf(issuer: string, subject: string): Promise<string | null>
}

export interface TrustedIssuersOptions {
  readonly idps: () => readonly Idp[]
  readonly describe: (idp: Idp) => Promise<IdpDescription>
  readonly links: Pick<IdpLinkRepository, 'find'>
  readonly fetch: typeof globalThis.fetch
  readonly now?: () => number
}

const HOUR = 3_600_000

interface Held {
  readonly at: number
  readonly found: Promise<TrustedIssuer | null>
}

/** What a provider says of itself is asked once an hour, and again when its configuration was changed. */
export function createTrustedIssuers(options: TrustedIssuersOptions): TrustedIssuers {
  const { idps, describe, links, fetch, now = Date.now } = options
  const held = new Map<string, Held>()
  const read = async (idp: Idp): Promise<TrustedIssuer | null> => {
    const said = await describe(idp)
    if (!said.ok) throw new Error(`'${idp.slug}' cannot be asked for its keys: ${said.reason}`)
    if (said.jwksUri === null) return null
    const keys = createRemoteJWKSet(new URL(said.jwksUri), { [customFetch]: fetch, cooldownDuration: 1_000 })
    return { issuer: said.issuer, idpId: idp.id, keys }
  }
  const of = (idp: Idp): Promise<TrustedIssuer | null> => {
    const key = `${idp.id} ${idp.updatedAt}`
    const known = held.get(key)
    if (known !== undefined && now() - known.at < HOUR) return known.found
    for (const old of held.keys()) if (old.startsWith(idp.id)) held.delete(old)
    const entry = { at: now(), found: read(idp) }
    held.set(key, entry)
    entry.found.catch(() => held.get(key) === entry && held.delete(key))
    return entry.found
  }
  return {
    async of(issuer) {
      for (const idp of idps().filter(({ enabled, trustAssertions }) => enabled && trustAssertions)) {
        // One that cannot be asked is not to hide another; one that says where it is need not be asked for others.
        if (typeof idp.config['issuer'] === 'string' && idp.config['issuer'] !== issuer) continue
        const found = await of(idp)
        if (found?.issuer === issuer) return found
      }
      return null
    },
    personOf: async (issuer, subject) => (await links.find(issuer, subject))?.userId ?? null,
  }
}
