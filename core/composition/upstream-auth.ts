import type { Context, Middleware } from 'koa'
import { OAuthError } from '@modelcontextprotocol/client'
import type { Config } from '../config.js'
import { idpConfig } from '../configuration/nouns/idps.js'
import { asWebFetch } from '../egress/web-fetch.js'
import { createCallback, createClientDocument } from '../http/connect/callback.js'
import { createDetect } from '../http/connect/detect.js'
import type { Detection } from '../http/connect/detect.js'
import { createEnrolment } from '../http/connect/enrolment.js'
import { createIdentityPage } from '../http/connect/identity-page.js'
import { createThrottle } from '../http/pages/throttle.js'
import { createAddressOf } from '../http/peer.js'
import { createOneTime } from '../identity/one-time.js'
import { createAssertions } from '../oauth/client/assertions.js'
import type { Vouching } from '../oauth/client/assertions.js'
import type { Fresh } from '../oauth/client/renewal.js'
import { createGrants } from '../oauth/client/grants.js'
import { createSignIn, TRIP_KIND, TripShape } from '../oauth/client/sign-in.js'
import type { Client } from '../oauth/client/tokens.js'
import { createProbe } from '../upstream/probe.js'
import { type House, PARTS, type Surroundings, VERSION } from './house.js'
import { createGrantEnds } from './grant-ends.js'

/** A sign-in has so long for each answer (the lease of a renewal is longer), and so much to say. */
const BOUNDS = { timeoutMs: 20_000, maxBytes: 1024 * 1024 }

/** As whom servers are called, and how people give what that needs. */
export function layUpstreamAuth(house: House, publicUrl: () => string, log: Surroundings['log']): void {
  const fetch = () => asWebFetch(house.get(PARTS.egress), BOUNDS)
  const challengeOf = async (url: string): Promise<string | null> => {
    const probed = await house.get(PARTS.probe)(url)
    return probed.kind === 'refused' ? probed.challenge : null
  }
  house.make(PARTS.probe, (h) =>
    createProbe({
      egress: h.get(PARTS.egress),
      limits: () => h.get(PARTS.snapshots).current().settings.limits,
      clientInfo: { name: 'gatehouse', version: VERSION },
    }),
  )
  house.make(PARTS.trips, (h) => createOneTime(h.get(PARTS.oneTime), TRIP_KIND, TripShape))
  house.make(PARTS.signIn, (h) =>
    createSignIn({
      store: h.get(PARTS.store),
      trips: h.get(PARTS.trips),
      challengeOf,
      fetch: fetch(),
      base: publicUrl,
      onFault: ({ slug }, { detail }) => log.warn({ server: slug, detail }, 'a sign-in at a server failed'),
    }),
  )
  house.make(PARTS.grantEnds, (h) => createGrantEnds(h, h.get(PARTS.alerting), log))
  house.make(PARTS.grants, (h) =>
    createGrants({
      grants: h.get(PARTS.store).grants,
      fetch: fetch(),
      clientOf: (identityId, stored) => clientNow(h, identityId, stored),
      byAssertion: (identityId, grant) => renewedByAssertion(h, identityId, grant.scope),
      onEnd: h.get(PARTS.grantEnds).ended,
    }),
  )
  house.make(PARTS.enrolment, (h) =>
    createEnrolment({
      store: h.get(PARTS.store),
      mutations: h.get(PARTS.configuration).mutations,
      signIn: h.get(PARTS.signIn),
      byAssertion: h.get(PARTS.assertions),
    }),
  )
  house.make(PARTS.assertions, (h) =>
    createAssertions({
      vouchingOf: (userId) => vouchingOf(h, userId),
      secretOf: (id) => h.get(PARTS.store).secrets.get({ kind: 'server', id }, 'oauth.clientSecret'),
      challengeOf,
      fetch: fetch(),
    }),
  )
}

/** As whom we are known at the provider that a person last signed in at; plugins name their keys as OpenID Connect does. */
async function vouchingOf(house: House, userId: string): Promise<Vouching | null> {
  const token = await house.get(PARTS.subjectTokens).of(userId)
  const store = house.get(PARTS.store)
  const idp = token === null ? null : await store.idps.find(token.idpId)
  if (token === null || idp === null || !idp.enabled) return null
  const { clientId, clientSecret } = await idpConfig({ store }, idp)
  if (typeof clientId !== 'string') return null
  const { idToken, issuer } = token
  return { idToken, issuer, clientId, clientSecret: typeof clientSecret === 'string' ? clientSecret : null }
}

/** Without anybody who vouches it is over: its person has to sign in again. */
async function renewedByAssertion(house: House, identityId: string, scope: string | null): Promise<Fresh> {
  const { identities, servers } = house.get(PARTS.store)
  const identity = await identities.find(identityId)
  const server = identity === null ? null : await servers.find(identity.serverId)
  const fresh =
    server === null || identity === null || identity.ownerId === null
      ? null
      : await house.get(PARTS.assertions)(server, identity.ownerId, scope)
  if (fresh === null) throw new OAuthError('invalid_grant', 'nobody vouches for this person any more')
  return fresh
}

export function detectOf(house: House, publicUrl: () => string): (url: string) => Promise<Detection> {
  const egress = house.get(PARTS.egress)
  return createDetect({
    check: egress.check,
    probe: house.get(PARTS.probe),
    fetch: asWebFetch(egress, BOUNDS),
    base: publicUrl,
  })
}

/** The client as an administrator has it now: its secret may have been given anew. */
async function clientNow(house: House, identityId: string, stored: Client): Promise<Client> {
  const { identities, servers, secrets } = house.get(PARTS.store)
  const identity = await identities.find(identityId)
  const server = identity === null ? null : await servers.find(identity.serverId)
  if (server?.oauth?.clientId !== stored.client_id) return stored
  const secret = await secrets.get({ kind: 'server', id: server.id }, 'oauth.clientSecret')
  const { client_secret: _, ...rest } = stored
  return secret === null ? rest : { ...rest, client_secret: secret }
}

/** The pages on which people give what servers need. */
export function connectPages(house: House, config: Config, publicUrl: () => string): Middleware[] {
  const [browser, store] = [house.get(PARTS.browser), house.get(PARTS.store)]
  const { mutations } = house.get(PARTS.configuration)
  const addressOf = createAddressOf(config.trustedProxies)
  return [
    createClientDocument(publicUrl),
    createCallback({
      browser,
      store,
      mutations,
      trips: house.get(PARTS.trips),
      signIn: house.get(PARTS.signIn),
      refused: house.get(PARTS.refused),
      addressOf: (ctx: Context) => addressOf(ctx.req),
      onAuthorised: house.get(PARTS.grantEnds).authorised,
    }),
    createIdentityPage({
      browser,
      store,
      mutations,
      enrolment: house.get(PARTS.enrolment),
      snapshot: house.get(PARTS.snapshots).current,
      throttle: createThrottle({ points: 30, seconds: 60 }),
    }),
  ]
}
