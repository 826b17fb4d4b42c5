import type { Principal } from '@gatehouse/sdk'
import type { Bearer } from '../domain/bearer.js'
import type { Identity, Server } from '../domain/nouns.js'
import type { AssignmentPlan } from '../domain/snapshot.js'
import type { SecretRepository } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import type { Bus } from '../hooks/bus.js'
import { slotKey } from './ability.js'
import type { Ability } from './ability.js'
import type { Access, NoAccess } from './catalog-types.js'
import type { Target } from './types.js'

export interface CredentialOptions {
  readonly secrets: SecretRepository
  /** The enabled or disabled identity of a user at a server; shared ones come with the assignment. */
  readonly identityOf: (serverId: string, userId: string) => Identity | null
  readonly bus: Bus
  /** The tokens of an identity that is a grant. */
  readonly bearer: (identity: Identity) => Bearer
}

type Lent = Pick<Target, 'key' | 'ability' | 'bearer'>

/** As whom each server is called. A client's own credential never goes upstream. */
export interface Credentials {
  access(principal: Principal, ability: Ability): Access
}

/** The key of a server's connections that no person's credential is behind. */
export const PUBLIC = 'public'

export function createCredentials(options: CredentialOptions): Credentials {
  // One target for each server and credential, for as long as its configuration lives.
  const targets = new WeakMap<AssignmentPlan, Map<string, Target>>()
  const targetFor = (plan: AssignmentPlan, lent: Lent, secrets: Target['secrets']) => {
    const slot = slotKey(lent)
    const own = targets.get(plan) ?? new Map<string, Target>()
    if (own.size === 0) targets.set(plan, own)
    const known = own.get(slot)
    if (known !== undefined && known.bearer === lent.bearer) return known
    const made: Target = { server: plan.server, ...lent, secrets }
    own.set(slot, made)
    return made
  }
  return {
    access: (principal, ability) => ({
      target(plan) {
        const { server, assignment, identity } = plan
        if (!server.enabled || !assignment.enabled) return disabled('the server is disabled')
        switch (assignment.scheme.kind) {
          case 'open':
            return targetFor(plan, { key: PUBLIC, ability }, () => secretsOf(options.secrets, server, null))
          case 'shared':
            return identity === null ? waiting('its shared identity is gone') : lent(plan, identity, ability)
          case 'per-user':
            return personal(plan, principal, ability)
        }
      },
    }),
  }

  function lent(plan: AssignmentPlan, identity: Identity, ability: Ability): Target | NoAccess {
    if (!identity.enabled) return disabled('the identity is disabled')
    const lent = { key: identity.id, ability }
    if (identity.status === 'needs_reauth')
      return { ...waiting('the identity has expired and must be authorised again'), lastSeenAs: slotKey(lent) }
    const bearer = identity.kind === 'oauth' ? { bearer: options.bearer(identity) } : {}
    return targetFor(plan, { ...lent, ...bearer }, () => secretsOf(options.secrets, plan.server, identity))
  }

  function personal(plan: AssignmentPlan, principal: Principal, ability: Ability): Target | NoAccess {
    const userId = principal.user?.id
    if (userId === undefined) return waiting('nobody stands behind this connection')
    const identity = options.identityOf(plan.server.id, userId)
    if (identity !== null) return lent(plan, identity, ability)
    if (!options.bus.has('upstream.credentials')) return waiting('no identity has been given yet')
    return targetFor(plan, { key: `user:${userId}`, ability }, () => fromPlugin(options.bus, plan, principal))
  }
}

async function secretsOf(secrets: SecretRepository, server: Server, identity: Identity | null) {
  const own = split(await secrets.fields({ kind: 'server', id: server.id }))
  if (identity === null) return own
  const given = split(await secrets.fields({ kind: 'identity', id: identity.id }))
  return { headers: { ...own.headers, ...given.headers }, env: { ...own.env, ...given.env } }
}

/** Secrets are stored one by one as `headers.<name>` and `env.<name>`. */
function split(fields: Readonly<Record<string, string>>) {
  const under = (prefix: string) =>
    Object.fromEntries(
      Object.entries(fields)
        .filter(([field]) => field.startsWith(prefix))
        .map(([field, value]) => [field.slice(prefix.length), value]),
    )
  return { headers: under('headers.'), env: under('env.') }
}

async function fromPlugin(bus: Bus, plan: AssignmentPlan, principal: Principal) {
  const answer = await bus.first('upstream.credentials', {
    server: plan.server,
    assignmentId: plan.assignment.id,
    principal,
  })
  if (answer.kind === 'headers') return { headers: answer.headers, env: {} }
  throw new GatehouseError('GH_FORWARD_CONNECT', {
    message: `Server '${plan.prefix}' needs a credential of yours`,
    detail: answer.kind === 'refused' ? answer.reason : 'no plugin has one',
    data: { server: plan.prefix },
  })
}

const disabled = (reason: string): NoAccess => ({ state: 'disabled', reason })
const waiting = (reason: string): NoAccess => ({ state: 'connect_required', reason })
