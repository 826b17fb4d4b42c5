import { refreshAuthorization } from '@modelcontextprotocol/client'
import type { Grant, GrantRepository } from '../../domain/store.js'
import { outcomeOf } from './outcome.js'
import type { Outcome } from './outcome.js'
import { expiryOf, metadataOf, readTokens, writeTokens } from './tokens.js'
import type { Client, Tokens } from './tokens.js'

/** The lease of a renewal outlives its HTTP call (20 s). */
const LEASE_MS = 30_000
const POLL_FIRST_MS = 10
const POLL_MOST_MS = 200
/** What was rotated already must be kept: else the next renewal finds a spent token. */
const SAVE_PAUSES = [100, 500, 2_000, 5_000, 10_000]

export interface RenewalOptions {
  readonly grants: Pick<GrantRepository, 'find' | 'lease' | 'renew' | 'release'>
  readonly fetch: typeof globalThis.fetch
  /** The client as it is to be now: an administrator may have given its secret anew. */
  readonly clientOf: (identityId: string, stored: Client) => Promise<Client>
  /** Tokens by another assertion of the person's identity provider. */
  readonly byAssertion?: (identityId: string, grant: Grant) => Promise<Fresh>
  readonly now?: () => number
}

/** What a token endpoint gave. */
export interface Fresh {
  readonly tokens: Tokens
  readonly scope: string | null
  readonly expiresAt: number | null
}

export type Renewed =
  { readonly kind: 'grant'; readonly grant: Grant } | { readonly kind: 'gone' } | ({ readonly grant: Grant } & Outcome)

/**
 * Renews one grant, once for all replicas: whoever gets the lease asks the token endpoint, the others wait for the version to
 * move. No transaction is open meanwhile. `version` is the one that its asker holds; a newer one is an answer.
 */
export function createRenewal(options: RenewalOptions): (identityId: string, version: number) => Promise<Renewed> {
  const { grants, now = Date.now } = options

  return async (identityId, version) => {
    const until = now() + LEASE_MS + 5_000
    for (let pause = POLL_FIRST_MS; ; pause = Math.min(POLL_MOST_MS, pause * 2)) {
      const grant = await grants.find(identityId)
      if (grant === null) return { kind: 'gone' }
      if (grant.version !== version) return { kind: 'grant', grant }
      if (await grants.lease(identityId, version, LEASE_MS)) return renew(grant)
      if (now() > until) return { kind: 'later', reason: 'another replica renews it and does not end', grant }
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  async function renew(grant: Grant): Promise<Renewed> {
    const { identityId, version } = grant
    try {
      const fresh = await ask(grant)
      if (await keep(grant, fresh)) return { kind: 'grant', grant: renewed(grant, fresh) }
      // Somebody has authorised anew meanwhile.
      const now = await grants.find(identityId)
      return now === null ? { kind: 'gone' } : { kind: 'grant', grant: now }
    } catch (error) {
      const outcome = outcomeOf(error)
      await grants.release(identityId, version, outcome.reason).catch(() => undefined)
      const stored = outcome.kind === 'later' ? null : await grants.find(identityId).catch(() => null)
      // Whoever authorised anew meanwhile has spent what we asked with.
      if (stored !== null && stored.version !== version) return { kind: 'grant', grant: stored }
      return { ...outcome, grant }
    }
  }

  async function ask(grant: Grant): Promise<Fresh> {
    const tokens = readTokens(grant.tokens)
    if (tokens.assertion === true && options.byAssertion !== undefined)
      return options.byAssertion(grant.identityId, grant)
    const client = await options.clientOf(grant.identityId, tokens.client)
    const given = await refreshAuthorization(grant.issuer, {
      metadata: metadataOf(tokens, grant.issuer),
      clientInformation: client,
      refreshToken: tokens.refresh ?? '',
      ...(tokens.resource === null ? {} : { resource: tokens.resource }),
      fetchFn: options.fetch,
    })
    return {
      tokens: { ...tokens, client, access: given.access_token, refresh: given.refresh_token ?? tokens.refresh },
      // RFC 6749, section 5.1: left out means unchanged.
      scope: given.scope ?? grant.scope,
      expiresAt: expiryOf(given, now()),
    }
  }

  async function keep({ identityId, version }: Grant, { tokens, scope, expiresAt }: Fresh): Promise<boolean> {
    const draft = { identityId, scope, tokens: writeTokens(tokens), expiresAt }
    for (const pause of SAVE_PAUSES) {
      try {
        return await grants.renew(version, draft)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
    return grants.renew(version, draft)
  }

  function renewed(grant: Grant, { tokens, scope, expiresAt }: Fresh): Grant {
    const version = grant.version + 1
    return { ...grant, version, scope, expiresAt, tokens: writeTokens(tokens), obtainedAt: now(), lastError: null }
  }
}
