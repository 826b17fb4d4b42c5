import type { UserRef } from '@gatehouse/sdk'
import { decodeJwt, type JWTPayload, jwtVerify } from 'jose'
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { holds } from '../../domain/capabilities.js'
import type { Gateway } from '../../domain/nouns.js'
import { permits } from '../../domain/policy.js'
import type { Snapshot } from '../../domain/snapshot.js'
import { hashSecret } from '../../identity/tokens.js'
import type { TrustedIssuer, TrustedIssuers } from '../../identity/trusted-issuers.js'
import { readResource } from './resources.js'

export interface AssertionOptions {
  readonly url: string
  readonly snapshot: () => Snapshot
  readonly issuers: TrustedIssuers
  /** A person as they are now; null: there is none, or they are disabled. */
  readonly person: (userId: string) => Promise<UserRef | null>
  /** True for the first who says so of this hash until `expiresAt` (milliseconds). */
  readonly first: (hash: string, expiresAt: number) => Promise<boolean>
}

/** What an assertion stands for, once it is believed. */
export interface Vouched {
  readonly user: UserRef
  readonly gateway: Gateway
  /** As the identity provider spelled it. */
  readonly resource: string
}

const TYPE = 'oauth-id-jag+jwt'
const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'EdDSA', 'Ed25519']
const REQUIRED = ['sub', 'exp', 'iat', 'jti', 'client_id', 'resource']
/** Seconds. */
const TOLERANCE = 30
const LONGEST = '1h'

/**
 * Reads an identity assertion (ID-JAG: RFC 7523 with the token that an identity provider gave out for this server). The client is
 * authenticated already. Throws what the client may know, with the reason for the log.
 */
export async function readAssertion(ctx: KoaContextWithOIDC, options: AssertionOptions): Promise<Vouched> {
  const { assertion, resource: asked, scope } = (ctx.oidc.params ?? {}) as Record<string, unknown>
  if (typeof assertion !== 'string') throw new errors.InvalidRequest('missing required parameter assertion')
  const { issuer, claims } = await verify(assertion, options)
  if (claims['client_id'] !== ctx.oidc.client?.clientId) throw refused('the assertion is for another client')
  const { resource, gateway } = resourceOf(claims, asked, options)
  const scopes = String(claims['scope'] ?? 'mcp').split(' ')
  if (!scopes.includes('mcp') || (typeof scope === 'string' && !scope.split(' ').includes('mcp')))
    throw new errors.InvalidScope('nothing is left of what was asked for', 'mcp')
  const user = await personOf(issuer, claims, options)
  refuseWithoutRight(user, gateway)
  const once = hashSecret(`${claims.iss} ${claims.jti}`)
  if (!(await options.first(once, ((claims.exp ?? 0) + TOLERANCE) * 1000)))
    throw refused('the assertion was used already')
  return { user, gateway, resource }
}

async function verify(assertion: string, { url, issuers }: AssertionOptions) {
  const named = issuerIn(assertion)
  const issuer = await issuers.find(named)
  if (issuer === null) throw refused('its issuer is not trusted here')
  try {
    const { payload } = await jwtVerify(assertion, issuer.keys, {
      issuer: named,
      audience: url,
      typ: TYPE,
      algorithms: ALGORITHMS,
      requiredClaims: REQUIRED,
      clockTolerance: TOLERANCE,
      maxTokenAge: LONGEST,
    })
    return { issuer, claims: payload }
  } catch (thrown) {
    throw refused(thrown instanceof Error ? thrown.message : 'it does not verify')
  }
}

function issuerIn(assertion: string): string {
  try {
    return decodeJwt(assertion).iss ?? ''
  } catch {
    throw refused('it is no JWT')
  }
}

/** There is nobody to choose a gateway: the assertion names one, and a parameter can only repeat it. */
function resourceOf(claims: JWTPayload, asked: unknown, { url, snapshot }: AssertionOptions) {
  const named = [claims['resource']].flat()
  const resource = named.length === 1 && typeof named[0] === 'string' ? named[0] : ''
  const read = readResource(resource, url, snapshot())
  if (read?.kind !== 'gateway') throw new errors.InvalidTarget('the assertion names no gateway of this server')
  const repeated = typeof asked === 'string' ? readResource(asked, url, snapshot()) : read
  if (repeated?.kind !== 'gateway' || repeated.gateway.id !== read.gateway.id)
    throw new errors.InvalidTarget('the resource is not the one of the assertion')
  return { resource, gateway: read.gateway }
}

async function personOf(issuer: TrustedIssuer, claims: JWTPayload, { person }: AssertionOptions): Promise<UserRef> {
  const userId = await issuer.userOf(claims.sub ?? '')
  const user = userId === null ? null : await person(userId)
  if (user === null) throw refused('its subject is nobody here, or disabled')
  return user
}

/** As at any sign-in: the capability, and a team that has the gateway. */
function refuseWithoutRight(user: UserRef, gateway: Gateway): void {
  if (!holds(user.capabilities, 'authenticateViaOauth')) throw refused('the role may not let AI clients in')
  const link = { host: { id: '', name: '', kind: 'oauth' as const }, connection: { id: '', gatewayId: gateway.id } }
  if (!gateway.enabled || !permits({ user, ...link }, gateway)) throw refused('no team, no capability')
}

const refused = (detail: string) => new errors.InvalidGrant(`assertion: ${detail}`)
