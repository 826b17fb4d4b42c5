import type { UserRef } from '@gatehouse/sdk'
import type { Mutations } from '../../configuration/mutations.js'
import { giveOwnHeaders, headerNamesOf, keepGrant } from '../../configuration/nouns/own-identities.js'
import { actorOf } from '../../configuration/work.js'
import type { Identity, Server } from '../../domain/nouns.js'
import type { AssignmentPlan } from '../../domain/snapshot.js'
import type { Store } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import type { Enrolment, Standing, Trip } from '../../identity/enrolment.js'
import type { SignIn } from '../../oauth/client/sign-in.js'
import type { ObtainByAssertion } from '../../oauth/client/assertions.js'
import { unionOf, writeTokens } from '../../oauth/client/tokens.js'

export interface EnrolmentOptions {
  readonly store: Pick<Store, 'identities' | 'servers' | 'grants'>
  readonly mutations: Pick<Mutations, 'change'>
  readonly signIn: Pick<SignIn, 'begin'>
  /** Access without a sign-in, where the person's identity provider vouches for them. */
  readonly byAssertion: ObtainByAssertion
}

export interface IdentityTrip extends Trip {
  /** The identity to authorise, when it is not the person's own. The caller has checked that they may. */
  readonly identityId?: string
}

export interface Enrolments extends Enrolment {
  begin(trip: IdentityTrip): Promise<string>
}

export function createEnrolment({ store, mutations, signIn, byAssertion }: EnrolmentOptions): Enrolments {
  /** Whoever is not vouched for signs in themselves. */
  const vouchedFor = async (user: UserRef, server: Server, wanted: string | null): Promise<boolean> => {
    const granted = await byAssertion(server, user.id, wanted).catch(() => null)
    if (granted === null) return false
    const { tokens, ...rest } = granted
    const kept = { ...rest, clientId: tokens.client.client_id, tokens: writeTokens(tokens) }
    await mutations.change(actorOf(user), (work) =>
      keepGrant(work, { serverId: server.id, serverUrl: server.url, identityId: null, grant: kept }),
    )
    return true
  }

  return {
    async standing(userId, plan) {
      const own = new Map((await store.identities.ofUser(userId)).map((identity) => [identity.serverId, identity]))
      const found = new Map<string, Standing>()
      for (const assignment of plan.assignments) {
        const { server } = assignment
        if (assignment.assignment.scheme.kind !== 'per-user' || server.url === null) continue
        const standing = standingOf(assignment, own.get(server.id) ?? null)
        const before = found.get(server.id)
        // Assigned twice: one that is switched on counts.
        if (before === undefined || before.state === 'disabled') found.set(server.id, standing)
      }
      return [...found.values()]
    },
    async begin({ user, sessionHash, serverId, returnTo, identityId }) {
      const server = await store.servers.find(serverId)
      if (server === null) throw new GatehouseError('GH_FORWARD_CONNECT', { message: 'This server is gone.' })
      const own = (await store.identities.ofUser(user.id)).find((identity) => identity.serverId === serverId)
      const known = identityId ?? own?.id
      const grant = known === undefined ? null : await store.grants.find(known)
      const wanted = grant?.wantedScope ? unionOf(grant.scope, grant.wantedScope) : null
      if (identityId === undefined && (await vouchedFor(user, server, wanted))) return returnTo
      return signIn.begin({
        server,
        identityId: identityId ?? null,
        userId: user.id,
        sessionHash,
        returnTo,
        wanted,
      })
    },
    async giveHeaders(user, serverId, headers) {
      await mutations.change(actorOf(user), (work) => giveOwnHeaders(work, serverId, headers))
    },
  }
}

function standingOf({ server, assignment, prefix }: AssignmentPlan, identity: Identity | null): Standing {
  const isOff = !server.enabled || !assignment.enabled || identity?.enabled === false
  return {
    server,
    prefix,
    state: isOff ? 'disabled' : identity === null ? 'missing' : identity.status === 'ok' ? 'ready' : 'needs_reauth',
    ...methodOf(server),
  }
}

/** How a server takes an identity. */
export function methodOf(server: Standing['server']): Pick<Standing, 'method' | 'headers'> {
  return server.auth === 'oauth'
    ? { method: 'oauth', headers: [] }
    : { method: 'headers', headers: headerNamesOf(server) }
}
