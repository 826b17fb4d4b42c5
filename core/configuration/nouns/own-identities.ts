import { randomBytes } from 'node:crypto'
import { holds } from '../../domain/capabilities.js'
import type { Identity, Server } from '../../domain/nouns.js'
import type { GrantDraft } from '../../domain/store.js'
import { problemsOf, invalid } from '../problems.js'
import { headers as headersSchema } from '../schemas.js'
import { absent, mustExist, mustHold } from '../work.js'
import type { Work } from '../work.js'
import { createIdentity, updateIdentity } from './identities.js'

/** What a server wants of each identity, when it has no sign-in of its own. */
export function headerNamesOf(server: Server): readonly string[] {
  return server.headers.length > 0 ? server.headers : ['Authorization']
}

/** Makes header values the caller's own identity for a server; what they had there is renewed in place. */
export async function giveOwnHeaders(
  work: Work,
  serverId: string,
  given: Readonly<Record<string, string>>,
): Promise<Identity> {
  const server = await mustExist(work.store.servers, 'server', serverId)
  const names = headerNamesOf(server)
  const missing = names.find((name) => (given[name] ?? '') === '')
  if (missing !== undefined) throw invalid(missing, 'needs a value')
  const checked = headersSchema.safeParse(Object.fromEntries(names.map((name) => [name, given[name]])))
  // The value itself is in no message.
  if (!checked.success)
    throw invalid(String(problemsOf(checked.error.issues)[0]?.path[0] ?? ''), 'is not a header value')
  const own = await ownIdentity(work, server.id)
  if (own !== null) return updateIdentity(work, own.id, { headers: checked.data })
  return createIdentity(work, ownSlug(server), { server: server.id, shared: false, headers: checked.data })
}

export async function ownIdentity(work: Work, serverId: string): Promise<Identity | null> {
  const { userId } = work.actor
  if (userId === null) return null
  return (await work.store.identities.ofUser(userId)).find((identity) => identity.serverId === serverId) ?? null
}

/** Nobody has to think of a name for what is theirs alone. */
export const ownSlug = (server: Server): string => `${server.slug.slice(0, 50)}-${randomBytes(5).toString('hex')}`

/** Who authorised, and for what. */
export interface Authorised {
  readonly serverId: string
  /** Where the server was when its sign-in gave this. */
  readonly serverUrl: string | null
  /** Null: the caller's own. */
  readonly identityId: string | null
  readonly grant: Omit<GrantDraft, 'identityId'>
}

/**
 * Keeps what a server's sign-in gave. An identity that is there is renewed in place: whatever uses it goes on with it, also one
 * that the file manages, since no file can hold a grant.
 */
export async function keepGrant(work: Work, { serverId, serverUrl, identityId, grant }: Authorised): Promise<Identity> {
  const { store } = work
  const server = await mustExist(store.servers, 'server', serverId)
  if (server.auth !== 'oauth') throw invalid('server', 'has no sign-in any more')
  // As with all secrets: they do not follow a server to another place.
  if (server.url !== serverUrl) throw invalid('server', 'has moved meanwhile: begin the sign-in again')
  const stored = identityId === null ? await ownIdentity(work, server.id) : await mustAuthorise(work, identityId)
  const identity = stored ?? (await createIdentity(work, ownSlug(server), { server: server.id, shared: false }))
  await store.secrets.remove({ kind: 'identity', id: identity.id })
  await store.grants.put({ ...grant, identityId: identity.id })
  return store.identities.update(identity.id, { kind: 'oauth', headers: [], status: 'ok' })
}

/** An identity that the caller may authorise: their own, or a shared one. Nobody signs in for another person. */
export async function mustAuthorise(work: Work, reference: string): Promise<Identity> {
  const identity = await mustExist(work.store.identities, 'identity', reference)
  const isOwn = !identity.shared && identity.ownerId === work.actor.userId
  const seesAll = ['viewAllIdentities', 'identityManagement'].some((key) => holds(work.actor.capabilities, key))
  if (!isOwn && !identity.shared && !seesAll) throw absent('identity', reference)
  if (!isOwn && !identity.shared) throw invalid('identity', 'is that of another person, who has to sign in themselves')
  if (!isOwn && !holds(work.actor.capabilities, 'identityManagement')) mustHold(work, 'basicServerManagement')
  return identity
}
