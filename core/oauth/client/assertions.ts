import {
  checkResourceAllowed,
  discoverAuthorizationServerMetadata,
  exchangeJwtAuthGrant,
  OAuthError,
  requestJwtAuthorizationGrant,
} from '@modelcontextprotocol/client'
import type { Server } from '../../domain/nouns.js'
import { authMethodOf, discover, readChallenge } from './discover.js'
import type { Granted } from './sign-in.js'
import { expiryOf } from './tokens.js'

/** A person's last sign-in at an identity provider, and as whom we are known there. */
export interface Vouching {
  readonly idToken: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | null
}

export interface AssertionsOptions {
  /** Null when the person did not come through a provider, or too long ago. */
  readonly vouchingOf: (userId: string) => Promise<Vouching | null>
  /** The secret of the client that an administrator registered at the server's sign-in. */
  readonly secretOf: (serverId: string) => Promise<string | null>
  readonly challengeOf: (serverUrl: string) => Promise<string | null>
  readonly fetch: typeof globalThis.fetch
  readonly now?: () => number
}

/**
 * Access without asking the person: their identity provider vouches for them at the server's sign-in (enterprise-managed
 * authorization: RFC 8693 token exchange for an ID-JAG, then RFC 7523). Null where nobody vouches; throws what was refused.
 */
export type ObtainByAssertion = (server: Server, userId: string, scope: string | null) => Promise<Granted | null>

export function createAssertions(options: AssertionsOptions): ObtainByAssertion {
  const { fetch, now = Date.now } = options

  return async (server, userId, wanted) => {
    const { url, oauth } = server
    if (url === null || oauth === null || !oauth.assertion || oauth.clientId === null) return null
    const vouching = await options.vouchingOf(userId)
    if (vouching === null) return null
    const discovery = await discover(url, readChallenge(await options.challengeOf(url)), fetch)
    const metadata = discovery.authorizationServerMetadata
    if (metadata === undefined) return null
    if (oauth.issuer !== null && oauth.issuer !== metadata.issuer)
      throw new Error('the server names another sign-in than its administrator entered')
    const resource = discovery.resourceMetadata?.resource ?? url
    // RFC 9728, section 3.3: else a server would be given the access of people to another one.
    if (!checkResourceAllowed({ requestedResource: url, configuredResource: resource }))
      throw new Error('the server names a resource that is another server')
    const scope = wanted ?? oauth.scope ?? discovery.resourceMetadata?.scopes_supported?.join(' ') ?? null
    const assertion = await assertionOf(vouching, { audience: metadata.issuer, resource, scope })
    const secret = await options.secretOf(server.id)
    const authMethod = secret === null ? 'none' : authMethodOf(discovery)
    const given = await coded(() =>
      exchangeJwtAuthGrant({
        tokenEndpoint: metadata.token_endpoint,
        jwtAuthGrant: assertion,
        clientId: oauth.clientId ?? '',
        authMethod,
        fetchFn: fetch,
        ...(secret === null ? {} : { clientSecret: secret }),
      }),
    )
    return {
      issuer: metadata.issuer,
      scope: given.scope ?? scope,
      expiresAt: expiryOf(given, now()),
      tokens: {
        access: given.access_token,
        refresh: null,
        client: { client_id: oauth.clientId },
        tokenEndpoint: metadata.token_endpoint,
        authMethods: [],
        resource,
        assertion: true,
      },
    }
  }

  /** The provider's own word where its tokens come from: it must be who it says it is. */
  async function assertionOf(
    { idToken, issuer, clientId, clientSecret }: Vouching,
    { audience, resource, scope }: { audience: string; resource: string; scope: string | null },
  ): Promise<string> {
    const metadata = await discoverAuthorizationServerMetadata(issuer, { fetchFn: fetch })
    if (metadata === undefined) throw new Error('the identity provider does not say where its tokens come from')
    const { jwtAuthGrant } = await coded(() =>
      requestJwtAuthorizationGrant({
        tokenEndpoint: metadata.token_endpoint,
        audience,
        resource,
        idToken,
        clientId,
        fetchFn: fetch,
        ...(clientSecret === null ? {} : { clientSecret }),
        ...(scope === null ? {} : { scope }),
      }),
    )
    return jwtAuthGrant
  }
}

/** These two of the library's say the code of an error only in words. */
async function coded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const [, code] = /exchange failed: ([\w.-]{1,60})/.exec(error instanceof Error ? error.message : '') ?? []
    throw code === undefined ? error : new OAuthError(code, 'refused')
  }
}
