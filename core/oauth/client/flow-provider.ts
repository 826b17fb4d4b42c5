import type {
  OAuthClientInformationContext,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { DOCUMENT_PATH, CALLBACK_PATH, isPublic, ourMetadata } from './our-client.js'

/** What one way to a sign-in and back must remember; kept with its state and nowhere else. */
export interface FlowState {
  codeVerifier: string | null
  /** Served on the way back alone: cached any longer, a server that moves to another sign-in would not be noticed. */
  discovery: OAuthDiscoveryState | null
  client: StoredOAuthClientInformation | null
}

export interface FlowProviderOptions {
  /** Our public URL, without a trailing slash. */
  readonly base: string
  readonly state: string
  readonly flow: FlowState
  /** How we authenticate at the token endpoint, if we register now. */
  readonly authMethod: string
  readonly clientOf: (issuer: string) => Promise<StoredOAuthClientInformation | undefined>
  readonly keepClient: (issuer: string, client: StoredOAuthClientInformation) => Promise<void>
}

export interface FlowProvider {
  readonly provider: OAuthClientProvider
  /** Where the browser is to go, after `auth` has answered REDIRECT. */
  redirect(): URL | null
  tokens(): StoredOAuthTokens | null
}

/** One flow as the official client wants it. It holds no tokens of before: a flow begins because they are of no use. */
export function createFlowProvider(options: FlowProviderOptions): FlowProvider {
  const { base, state, flow, authMethod } = options
  const got: { redirect: URL | null; tokens: StoredOAuthTokens | null } = { redirect: null, tokens: null }
  const issuerOf = (context: OAuthClientInformationContext | undefined) => context?.issuer ?? ''
  const provider: OAuthClientProvider = {
    redirectUrl: base + CALLBACK_PATH,
    ...(isPublic(base) ? { clientMetadataUrl: base + DOCUMENT_PATH } : {}),
    clientMetadata: { ...ourMetadata(base), token_endpoint_auth_method: authMethod },
    state: () => state,
    // The way back must find the very client that the way there was begun with.
    async clientInformation(context) {
      flow.client ??= (await options.clientOf(issuerOf(context))) ?? null
      return flow.client ?? undefined
    },
    async saveClientInformation(client, context) {
      flow.client = client
      if (client.client_id !== base + DOCUMENT_PATH) await options.keepClient(issuerOf(context), client)
    },
    tokens: () => undefined,
    saveTokens: (tokens) => void (got.tokens = tokens),
    redirectToAuthorization: (url) => void (got.redirect = url),
    saveCodeVerifier: (verifier) => void (flow.codeVerifier = verifier),
    codeVerifier: () => flow.codeVerifier ?? '',
    saveDiscoveryState: (discovery) => void (flow.discovery = discovery),
    discoveryState: () => flow.discovery ?? undefined,
  }
  return { provider, redirect: () => got.redirect, tokens: () => got.tokens }
}
