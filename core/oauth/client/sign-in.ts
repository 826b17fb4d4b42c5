import { auth } from '@modelcontextprotocol/client'
import type { OAuthDiscoveryState, StoredOAuthClientInformation } from '@modelcontextprotocol/client'
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { isLoopbackName } from '../../domain/loopback.js'
import type { Server } from '../../domain/nouns.js'
import type { Store } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import type { OneTime } from '../../identity/one-time.js'
import { authMethodOf, discover, readChallenge } from './discover.js'
import { createFlowProvider } from './flow-provider.js'
import type { FlowState } from './flow-provider.js'
import { CALLBACK_PATH } from './our-client.js'
import { signInFault } from './sign-in-fault.js'
import { expiryOf, unionOf } from './tokens.js'
import type { Fresh } from './renewal.js'

export const TRIP_KIND = 'upstream-trip'
export const TRIP_MS = 15 * 60_000

/** A way to a server's sign-in that somebody is on. */
export const TripShape = z.object({
  serverId: z.string(),
  serverUrl: z.string(),
  /** Null: the person's own, made when it does not exist yet. */
  identityId: z.string().nullable(),
  userId: z.string(),
  sessionHash: z.string(),
  returnTo: z.string(),
  scope: z.string().nullable(),
  codeVerifier: z.string(),
  discovery: z.unknown(),
  client: z.unknown(),
})
export type StoredTrip = z.output<typeof TripShape>

export interface Departure extends Pick<StoredTrip, 'identityId' | 'userId' | 'sessionHash' | 'returnTo'> {
  readonly server: Server
  /** What was granted and asked for before. */
  readonly wanted: string | null
}

/** What the browser brought back. */
export interface Return {
  readonly code: string
  readonly iss: string | undefined
}

export interface Granted extends Fresh {
  readonly issuer: string
}

export interface SignInOptions {
  readonly store: Pick<Store, 'secrets' | 'upstreamClients'>
  readonly trips: Pick<OneTime<StoredTrip>, 'put'>
  /** What the server says to a call without a credential: its `WWW-Authenticate`, or null. */
  readonly challengeOf: (serverUrl: string) => Promise<string | null>
  readonly fetch: typeof globalThis.fetch
  /** Our public URL, without a trailing slash. */
  readonly base: () => string
  /** Told why a sign-in failed, for the log: the person is told less. */
  readonly onFault: (server: Server, fault: GatehouseError) => void
  readonly now?: () => number
}

/** The way of a person to the sign-in of an upstream server, and back. Everything in between is in one row. */
export interface SignIn {
  /** Where to send the browser. Throws GH_FORWARD_CONNECT with words for a person. */
  begin(departure: Departure): Promise<string>
  /** Makes the code that came back into tokens; the same refusals. */
  finish(trip: StoredTrip, server: Server, back: Return): Promise<Granted>
}

export function createSignIn(options: SignInOptions): SignIn {
  const { store, trips, fetch, base, now = Date.now } = options

  return {
    async begin({ server, wanted, ...trip }) {
      const url = urlOf(server)
      const state = randomBytes(32).toString('base64url')
      try {
        const challenge = readChallenge(await options.challengeOf(url))
        const discovery = await discover(url, challenge, fetch)
        const flow: FlowState = { codeVerifier: null, discovery, client: null }
        const scope =
          unionOf(wanted, wanted === null ? null : challenge.scope) ?? server.oauth?.scope ?? challenge.scope
        const needed = scope ?? discovery.resourceMetadata?.scopes_supported?.join(' ') ?? null
        const { provider, redirect } = providerOf(server, state, flow, needed)
        await auth(provider, { serverUrl: url, fetchFn: fetch, ...(scope === undefined ? {} : { scope }) })
        const to = redirect()
        if (to === null || flow.codeVerifier === null) throw new Error('nobody was sent anywhere')
        checkAddress(to)
        const payload = {
          ...trip,
          serverId: server.id,
          serverUrl: url,
          scope: to.searchParams.get('scope'),
          ...kept(flow),
        }
        await trips.put(state, { payload, ttlMs: TRIP_MS, userId: trip.userId })
        return to.href
      } catch (error) {
        throw failed(server, error)
      }
    },

    async finish(trip, server, { code, iss }) {
      const flow: FlowState = {
        codeVerifier: trip.codeVerifier,
        discovery: trip.discovery as OAuthDiscoveryState,
        client: trip.client as StoredOAuthClientInformation,
      }
      const { provider, tokens } = providerOf(server, '', flow)
      try {
        await auth(provider, {
          serverUrl: urlOf(server),
          authorizationCode: code,
          fetchFn: fetch,
          ...(iss === undefined ? {} : { iss }),
        })
        const given = tokens()
        if (given === null) throw new Error('no tokens were given')
        const metadata = flow.discovery?.authorizationServerMetadata
        const issuer = given.issuer ?? flow.discovery?.authorizationServerUrl ?? ''
        return {
          issuer,
          scope: given.scope ?? trip.scope,
          expiresAt: expiryOf(given, now()),
          tokens: {
            access: given.access_token,
            refresh: given.refresh_token ?? null,
            client: clientOf(flow.client),
            tokenEndpoint: metadata?.token_endpoint ?? new URL('/token', issuer).href,
            authMethods: metadata?.token_endpoint_auth_methods_supported ?? [],
            resource: flow.discovery?.resourceMetadata?.resource ?? null,
          },
        }
      } catch (error) {
        throw failed(server, error)
      }
    },
  }

  function failed(server: Server, error: unknown): GatehouseError {
    const fault = signInFault(server, error, base() + CALLBACK_PATH)
    options.onFault(server, fault)
    return fault
  }

  function providerOf(server: Server, state: string, flow: FlowState, needed: string | null = null) {
    return createFlowProvider({
      base: base(),
      state,
      flow,
      authMethod: flow.discovery === null ? 'client_secret_basic' : authMethodOf(flow.discovery),
      clientOf: (issuer) => registered(server, issuer, needed),
      keepClient: async (issuer, client) => {
        const registration = JSON.stringify({ ...client, redirectUri: base() + CALLBACK_PATH })
        if (server.oauth?.clientId == null) await store.upstreamClients.put(server.id, issuer, registration)
      },
    })
  }

  /** The administrator's client, else one that was registered before; stamped, so that it goes to no other issuer. */
  async function registered(
    server: Server,
    issuer: string,
    needed: string | null,
  ): Promise<StoredOAuthClientInformation | undefined> {
    const own = server.oauth
    if (own?.issuer != null && !isSameIssuer(own.issuer, issuer))
      throw new GatehouseError('GH_FORWARD_CONNECT', {
        message: `Server '${server.slug}' names another sign-in than its administrator entered. Tell them.`,
        detail: `named ${issuer}`,
      })
    if (own?.clientId != null) {
      const secret = await store.secrets.get({ kind: 'server', id: server.id }, 'oauth.clientSecret')
      return { client_id: own.clientId, ...(secret === null ? {} : { client_secret: secret }), issuer }
    }
    const stored = await store.upstreamClients.find(server.id, issuer)
    if (stored === null) return undefined
    const { redirectUri, ...client } = JSON.parse(stored) as StoredOAuthClientInformation & { redirectUri?: string }
    // Registered under an address that we do not have any more, or for less than is needed now: we register anew.
    const isOfUse = redirectUri === base() + CALLBACK_PATH && allows(client, needed)
    return isOfUse ? { ...client, issuer } : undefined
  }
}

/** A client that was registered for some scopes gets no others (RFC 7591, section 2). */
function allows(client: object, needed: string | null): boolean {
  const scope = 'scope' in client && typeof client.scope === 'string' ? client.scope : null
  return scope === null || unionOf(scope, needed) === unionOf(scope)
}

const kept = ({ codeVerifier, discovery, client }: FlowState) => ({
  codeVerifier: codeVerifier ?? '',
  discovery,
  client,
})

/** Only what token requests need: registrations hold more. */
function clientOf(client: StoredOAuthClientInformation | null): Fresh['tokens']['client'] {
  if (client === null) throw new Error('there is no client')
  const { client_id, client_secret } = client
  const method = 'token_endpoint_auth_method' in client ? client.token_endpoint_auth_method : undefined
  return {
    client_id,
    ...(client_secret === undefined ? {} : { client_secret }),
    ...(typeof method === 'string' ? { token_endpoint_auth_method: method } : {}),
  }
}

function urlOf(server: Server): string {
  if (server.url !== null) return server.url
  throw new GatehouseError('GH_FORWARD_CONNECT', { message: `Server '${server.slug}' is a command: it has no sign-in` })
}

/** A browser is sent to nothing but a page: not to a script, not to a file, and in the clear only on this machine. */
function checkAddress({ protocol, hostname }: URL): void {
  if (protocol === 'https:' || (protocol === 'http:' && isLoopbackName(hostname))) return
  throw new Error('the sign-in is at an address that no browser may be sent to')
}

const isSameIssuer = (one: string, other: string) => one.replace(/\/$/, '') === other.replace(/\/$/, '')
