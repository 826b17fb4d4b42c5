import type { IncomingMessage } from 'node:http'
import { Provider, type Configuration, type KoaContextWithOIDC, errors, interactionPolicy } from 'oidc-provider'
import type { Snapshot } from '../../domain/snapshot.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import { type AdapterOptions, createAdapters } from './adapter.js'
import { publicClientId } from './client-names.js'
import { normalise, OF_ADMIN } from './client-metadata.js'
import type { DocumentFetch } from './client-documents.js'
import type { ServerKeys } from './keys.js'
import { audienceOf, readResource } from './resources.js'

const HOUR = 3600
const DAY = 24 * HOUR
/** Seconds. A grant must outlive any chain of refresh tokens: rotation does not extend it. */
const TTL = {
  AccessToken: HOUR,
  AuthorizationCode: 60,
  Grant: 400 * DAY,
  IdToken: HOUR,
  Interaction: HOUR / 2,
  RefreshToken: 90 * DAY,
  Session: DAY,
}
export const SCOPES = ['mcp', 'offline_access', 'openid']
export const ROUTES = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  registration: '/oauth/register',
  revocation: '/oauth/revoke',
  jwks: '/oauth/jwks',
  end_session: '/oauth/end',
}

export interface ProviderOptions extends AdapterOptions {
  /** The issuer: the public base URL, without a path. */
  readonly url: string
  readonly keys: ServerKeys
  readonly snapshot: () => Snapshot
  /** Who is signed in to the console in the browser that sent a request: the truth that the server's own session follows. */
  readonly signedIn: (req: IncomingMessage) => Promise<SignedIn | null>
  /** Whether a person is still there, disabled or not: their refresh goes on working until they are deleted. */
  readonly exists: (userId: string) => Promise<boolean>
  readonly documents: DocumentFetch
  /** Shows a failure that cannot be sent to the client, to the person in front of the browser. */
  readonly renderError: (ctx: KoaContextWithOIDC, message: string) => void
}

/** The library, set up so that real AI clients get through it; why, stands in `docs/protocol.md`. */
export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.url, configuration(options))
  // Safe because whoever mounts it sets the host and scheme of every request, and no address is read from it.
  provider.proxy = true
  return provider
}

function configuration(options: ProviderOptions): Configuration {
  const { keys, exists } = options
  return {
    adapter: createAdapters(options),
    jwks: { keys: [...keys.signing] as never },
    cookies: {
      names: { session: 'gh_as', interaction: 'gh_interaction', resume: 'gh_resume' },
      keys: [...keys.cookies],
      // Lax: the way back from another site's sign-in must still bring them.
      long: { path: '/oauth', httpOnly: true, sameSite: 'lax' },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    routes: ROUTES,
    ttl: TTL,
    scopes: SCOPES,
    claims: { openid: ['sub'] },
    discovery: { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] },
    loadExistingGrant: loadGrantOfThisConsent,
    findAccount: async (_, sub) =>
      (await exists(sub)) ? { accountId: sub, claims: async () => ({ sub }) } : undefined,
    interactions: { policy: policyOf(options), url: (_, { uid }) => `/oauth/interaction/${uid}` },
    renderError: async (ctx, out) => options.renderError(ctx, out.error_description ?? out.error),
    ...TOKENS,
    ...clients(options),
    features: { ...OFF, ...features(options) } as Configuration['features'],
  } as Configuration
}

/** How codes and tokens are given out. */
const TOKENS: Configuration = {
  responseTypes: ['code'],
  pkce: { required: () => true },
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: async () => false,
  rotateRefreshToken: () => true,
  // Whichever token a client gives back, all that came of the same consent ends (RFC 7009, section 2.1).
  revokeGrantPolicy: () => true,
}

/** Which clients there are, and how they are known. */
function clients({ snapshot, documents }: ProviderOptions): Configuration {
  return {
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    clientDefaults: { grant_types: ['authorization_code', 'refresh_token'], id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientBasedCORS: () => true,
    extraClientMetadata: {
      properties: [OF_ADMIN],
      validator: (ctx, _key, _value, metadata) =>
        normalise(metadata as never, snapshot().settings.redirectSchemes, ctx !== undefined),
    },
    fetch: documents.fetch as never,
    fetchResponseBodyLimits: { 'client_id metadata document': documents.mostBytes },
  }
}

/** On by default, and wanted by no AI client. */
const OFF = {
  devInteractions: { enabled: false },
  userinfo: { enabled: false },
  rpInitiatedLogout: { enabled: false },
  pushedAuthorizationRequests: { enabled: false },
  dPoP: { enabled: false },
  registrationManagement: { enabled: false },
}

function features({ url, snapshot, documents }: ProviderOptions): Configuration['features'] {
  return {
    revocation: { enabled: true },
    registration: { enabled: true, issueRegistrationAccessToken: false, idFactory: clientIdFor },
    clientIdMetadataDocument: {
      enabled: snapshot().settings.clientDocuments,
      ack: 'draft-02',
      allowFetch: async (_: unknown, id: string) => documents.allows(id),
      cacheDuration: { min: 300, max: 3600 },
    },
    resourceIndicators: {
      enabled: true,
      // The person will choose: no guessing, and no refusal.
      defaultResource: async (_, __, oneOf) => oneOf?.[0] ?? `${url}/mcp`,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (ctx, indicator) => {
        const asked = ctx.oidc.params?.['resource']
        if (Array.isArray(asked) && asked.length > 1) throw new errors.InvalidTarget('one resource at a time')
        const resource = readResource(indicator, url, snapshot())
        if (resource === null) throw new errors.InvalidTarget('the resource is not one of this server')
        return { scope: 'mcp', audience: audienceOf(resource, url), accessTokenFormat: 'opaque' }
      },
    },
  } as Configuration['features']
}

/** Each consent makes a grant of its own: the one of an earlier connection would lead to another gateway. */
async function loadGrantOfThisConsent(ctx: KoaContextWithOIDC) {
  const grantId = ctx.oidc.result?.consent?.grantId
  return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId)
}

function policyOf({ signedIn }: ProviderOptions) {
  const { Check, base } = interactionPolicy
  const policy = base()
  policy.get('login')?.checks.add(
    new Check('console_session', 'whoever is signed in to the console is who lets a client in', async (ctx) => {
      const accountId = ctx.oidc.session?.accountId
      if (accountId === undefined) return Check.NO_NEED_TO_PROMPT
      const here = await signedIn(ctx.req)
      return here?.user.id === accountId ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT
    }),
  )
  return policy
}

/** Public clients get the id of what they are; one with a secret is itself. */
function clientIdFor(ctx: KoaContextWithOIDC): string {
  const body = (ctx.oidc.body ?? {}) as Record<string, unknown>
  if (body['token_endpoint_auth_method'] === 'none') return publicClientId(body)
  return `dcr_${crypto.randomUUID()}`
}
