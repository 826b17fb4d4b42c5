import type { UserRef } from '@gatehouse/sdk'
import type { Mutations } from '../../configuration/mutations.js'
import { giveOwnHeaders, headerNamesOf } from '../../configuration/nouns/own-identities.js'
import type { Actor } from '../../configuration/work.js'
import type { Identity } from '../../domain/nouns.js'
import type { AssignmentPlan } from '../../domain/snapshot.js'
import type { Store } from '../../domain/store.js'
import type { Enrolment, Standing } from '../../identity/enrolment.js'

export interface EnrolmentOptions {
  readonly store: Pick<Store, 'identities'>
  readonly mutations: Pick<Mutations, 'change'>
  /** Begins a trip to a server's own sign-in. */
  readonly begin: Enrolment['begin']
}

export function createEnrolment({ store, mutations, begin }: EnrolmentOptions): Enrolment {
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
    begin,
    async giveHeaders(user, serverId, headers) {
      await mutations.change(actorOf(user), (work) => giveOwnHeaders(work, serverId, headers))
    },
  }
}

/** A person on a page of ours, as the configuration knows its actors. */
export function actorOf(user: UserRef): Actor {
  return { userId: user.id, capabilities: user.capabilities, managedBy: 'api', isOperator: false }
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
