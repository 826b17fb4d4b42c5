import type { Connection } from '../../domain/nouns.js'
import type { ConnectionKey, Store } from '../../domain/store.js'
import { conflict, given, mustCover, mustExist, mustHold, mustRefer } from '../work.js'
import type { Work } from '../work.js'

export interface ConnectionInput {
  readonly host: string
  readonly gateway: string
  readonly user?: string | undefined
  readonly enabled?: boolean | undefined
}

/** Without a user the actor is the user. */
export async function createConnection(work: Work, input: ConnectionInput): Promise<Connection> {
  const host = await mustRefer(work.store.hosts, 'host', input.host)
  if (host.kind !== 'token') throw conflict(`the host '${host.slug}' signs in by OAuth`, 'host')
  const gateway = await mustRefer(work.store.gateways, 'gateway', input.gateway)
  const userId = await userOf(work, input.user)
  const key = { hostId: host.id, gatewayId: gateway.id, userId }
  if (await findConnection(work.store, key)) throw conflict('this connection exists already')
  return work.store.connections.insert({ ...key, enabled: input.enabled ?? true, managedBy: 'api' })
}

export async function updateConnection(
  work: Work,
  id: string,
  input: { readonly enabled?: boolean | undefined },
): Promise<Connection> {
  const stored = await mustExist(work.store.connections, 'connection', id)
  return work.store.connections.update(stored.id, given({ enabled: input.enabled }))
}

export async function removeConnection(work: Work, id: string): Promise<void> {
  const stored = await mustExist(work.store.connections, 'connection', id)
  await work.store.connections.removeOf({ id: stored.id })
}

export function findConnection(store: Store, { hostId, gatewayId, userId }: ConnectionKey): Promise<Connection | null> {
  return store.connections.byKey(`${hostId}/${gatewayId}/${userId ?? ''}`)
}

/** Whoever connects in the name of another acts with that person's rights: managing people, and no less rights, is needed. */
export async function userOf(work: Work, reference: string | undefined): Promise<string | null> {
  if (reference === undefined) return work.actor.userId
  const user = await mustRefer(work.store.users, 'user', reference)
  if (user.id === work.actor.userId) return user.id
  mustHold(work, 'managePeople')
  const role = await work.store.roles.byKey(user.role)
  mustCover(work, role?.capabilities ?? ['*'], `'${user.email}'`)
  return user.id
}
