import type { z } from 'zod'
import { holds } from '../../domain/capabilities.js'
import type { Identity } from '../../domain/nouns.js'
import { invalid } from '../problems.js'
import type { Identity as IdentitySchema } from '../schemas.js'
import { keepSecrets, readSecrets } from '../secrets.js'
import type { Values } from '../secrets.js'
import { conflict, given, managerAfter, mustBeFree, mustBeMine, mustExist, mustHold, mustRefer } from '../work.js'
import type { Work } from '../work.js'

export type IdentityInput = z.output<typeof IdentitySchema>
export type IdentityPatch = Partial<IdentityInput>

/** An identity as the file says it, every key filled in. */
export interface IdentityState {
  readonly server: string
  readonly shared: boolean
  readonly owner: string | null
  readonly headers: Values
  readonly enabled: boolean
}

/**
 * Through the API a personal identity is the caller's own unless an owner is named. Without headers it is a grant of the server's
 * authorization server, which somebody has yet to give.
 */
export async function createIdentity(work: Work, slug: string, input: IdentityInput): Promise<Identity> {
  await mustBeFree(work.store.identities, 'identity', slug)
  const server = await mustRefer(work.store.servers, 'server', input.server)
  if (server.url === null) throw invalid('server', `'${server.slug}' is a command; it takes no headers`)
  const shared = input.shared ?? false
  const ownerId = await ownerOf(work, input, shared)
  if (!shared || !holds(work.actor.capabilities, 'basicServerManagement')) mustManage(work, { shared, ownerId })
  if (!shared) await mustBeOnly(work, server.id, ownerId)
  const kind = input.headers === undefined ? ('oauth' as const) : ('headers' as const)
  if (kind === 'oauth' && server.auth !== 'oauth')
    throw invalid('headers', `'${server.slug}' has no sign-in of its own: give header values`)
  const identity = await work.store.identities.insert({
    slug,
    serverId: server.id,
    shared,
    ownerId,
    kind,
    headers: Object.keys(input.headers ?? {}),
    enabled: input.enabled ?? true,
    status: kind === 'oauth' ? 'needs_reauth' : 'ok',
    managedBy: work.actor.managedBy,
  })
  await keepSecrets(work.store, { kind: 'identity', id: identity.id }, 'headers', input.headers ?? {})
  return identity
}

export async function updateIdentity(work: Work, reference: string, input: IdentityPatch): Promise<Identity> {
  const stored = await mustExist(work.store.identities, 'identity', reference)
  mustManage(work, stored)
  mustBeMine(work, 'identity', stored.slug, stored)
  const server = input.server === undefined ? null : await mustRefer(work.store.servers, 'server', input.server)
  if (server !== null && server.id !== stored.serverId)
    throw invalid('server', 'an identity stays with its server; make another one')
  const shared = input.shared ?? stored.shared
  const ownerId =
    input.owner === undefined && input.shared === undefined ? stored.ownerId : await ownerOf(work, input, shared)
  mustManage(work, { shared, ownerId })
  if (shared !== stored.shared || ownerId !== stored.ownerId) mustBeGiven(work, stored, input)
  if (!shared && ownerId !== stored.ownerId) await mustBeOnly(work, stored.serverId, ownerId)
  if (!shared && stored.shared) await mustBeUnused(work, stored)
  const identity = await work.store.identities.update(stored.id, {
    ...given({ enabled: input.enabled }),
    ...(input.headers === undefined ? {} : { ...HEADERS, headers: Object.keys(input.headers) }),
    shared,
    ownerId,
    ...managerAfter(work, stored),
  })
  if (input.headers !== undefined) {
    await work.store.grants.remove(identity.id)
    await keepSecrets(work.store, { kind: 'identity', id: identity.id }, 'headers', input.headers)
  }
  return identity
}

export async function removeIdentity(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.identities, 'identity', reference)
  mustManage(work, stored)
  mustBeMine(work, 'identity', stored.slug, stored)
  await mustBeUnused(work, stored)
  await work.store.secrets.remove({ kind: 'identity', id: stored.id })
  await work.store.grants.remove(stored.id)
  await work.store.identities.remove(stored.id)
}

const HEADERS = { kind: 'headers', status: 'ok' } as const

/** With its secrets: never to be shown. */
export async function identityState({ store }: Pick<Work, 'store'>, identity: Identity): Promise<IdentityState> {
  const server = await store.servers.find(identity.serverId)
  const owner = identity.ownerId === null ? null : await store.users.find(identity.ownerId)
  const headers = await readSecrets(store, { kind: 'identity', id: identity.id }, 'headers')
  const { shared, enabled } = identity
  return { server: server?.slug ?? identity.serverId, shared, owner: owner?.email ?? null, headers, enabled }
}

async function ownerOf(work: Work, input: IdentityPatch, shared: boolean): Promise<string | null> {
  if (shared && input.owner !== undefined) throw invalid('owner', 'a shared identity has no owner')
  if (shared) return null
  if (input.owner !== undefined) return (await mustRefer(work.store.users, 'owner', input.owner)).id
  if (work.actor.userId === null || work.actor.managedBy === 'file')
    throw invalid('owner', 'a personal identity needs an owner; or say shared: true')
  return work.actor.userId
}

/** One's own identities are always one's own to manage; the others need the capability. */
function mustManage(work: Work, identity: { readonly shared: boolean; readonly ownerId: string | null }): void {
  const isOwn = !identity.shared && identity.ownerId !== null && identity.ownerId === work.actor.userId
  if (!isOwn) mustHold(work, 'identityManagement')
}

/** What a person has given for themselves, they alone let others use; and nobody slips theirs under a name that is shared. */
function mustBeGiven(work: Work, { slug, shared, ownerId }: Identity, { headers }: IdentityPatch): void {
  if (shared || ownerId === work.actor.userId || headers !== undefined) return
  throw conflict(`identity '${slug}' is a person's own, who alone can share it; give headers anew, or make another one`)
}

async function mustBeOnly(work: Work, serverId: string, ownerId: string | null): Promise<void> {
  const other = (await work.store.identities.ofServer(serverId)).find(
    (identity) => !identity.shared && identity.ownerId === ownerId,
  )
  if (other) throw conflict(`this person has the identity '${other.slug}' for the server already`, 'owner')
}

async function mustBeUnused(work: Work, stored: Identity): Promise<void> {
  const users = (await work.store.gateways.all()).filter(({ assignments }) =>
    assignments.some(({ scheme }) => scheme.kind === 'shared' && scheme.identityId === stored.id),
  )
  if (users.length > 0)
    throw conflict(`identity '${stored.slug}' is used by the gateways ${users.map(({ slug }) => slug).join(', ')}`)
}
