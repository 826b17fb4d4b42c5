import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import type { IdpDescription } from '@gatehouse/sdk'
import type { Idp } from '../domain/nouns.js'
import type { IdpLinkRepository } from '../domain/store.js'

/** An issuer whose assertions stand for people of this workspace (ID-JAG, RFC 7523). */
export interface TrustedIssuer {
  /** Its keys, as they are now. */
  readonly keys: JWTVerifyGetKey
  /** Id of the person whom it calls by this subject; null: they never signed in through it. */
  userOf(subject: string): Promise<string | null>
}

export interface TrustedIssuers {
  /** Null unless an enabled identity provider with `trustAssertions` is that issuer. Throws when it cannot be asked. */
  find(issuer: string): Promise<TrustedIssuer | null>
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
  readonly found: Promise<{ readonly issuer: string; readonly keys: JWTVerifyGetKey } | null>
}

/** What a provider says of itself is asked once an hour, and again when its configuration was changed. */
export function createTrustedIssuers(options: TrustedIssuersOptions): TrustedIssuers {
  const { idps, describe, links, fetch, now = Date.now } = options
  const held = new Map<string, Held>()
  const read = async (idp: Idp): Held['found'] => {
    const said = await describe(idp)
    if (!said.ok) throw new Error(`'${idp.slug}' cannot be asked for its keys: ${said.reason}`)
    if (said.jwksUri === null) return null
    const keys = createRemoteJWKSet(new URL(said.jwksUri), { [customFetch]: fetch, cooldownDuration: 1_000 })
    return { issuer: said.issuer, keys }
  }
  const of = (idp: Idp): Held['found'] => {
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
    async find(issuer) {
      for (const idp of idps().filter(({ enabled, trustAssertions }) => enabled && trustAssertions)) {
        // One that cannot be asked is not to hide another; one that says where it is need not be asked for others.
        if (typeof idp.config['issuer'] === 'string' && idp.config['issuer'] !== issuer) continue
        const found = await of(idp)
        if (found?.issuer !== issuer) continue
        const userOf = async (subject: string) => {
          const link = await links.find(issuer, subject)
          return link?.idpId === idp.id ? link.userId : null
        }
        return { keys: found.keys, userOf }
      }
      return null
    },
  }
}
