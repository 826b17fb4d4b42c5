import type { z } from 'zod'
import type { Host } from '../../domain/nouns.js'
import type { Host as HostSchema } from '../schemas.js'
import { given, managerAfter, mustBeFree, mustBeMine, mustExist, mustRefer } from '../work.js'
import type { Work } from '../work.js'

export type HostInput = z.output<typeof HostSchema>

export type HostPatch = Omit<HostInput, 'owner'> & { readonly owner?: string | null | undefined }

/** A host as the file says it, every key filled in. */
export interface HostState {
  readonly title: string
  readonly kind: 'token'
  readonly owner: string | null
  readonly enabled: boolean
}

export async function createHost(work: Work, slug: string, input: HostInput): Promise<Host> {
  await mustBeFree(work.store.hosts, 'host', slug)
  const ownerId = await ownerOf(work, input)
  const { managedBy, userId } = work.actor
  return work.store.hosts.insert({
    slug,
    title: input.title ?? slug,
    kind: input.kind ?? 'token',
    ownerId: ownerId ?? (managedBy === 'api' ? userId : null),
    enabled: input.enabled ?? true,
    managedBy,
  })
}

/** An owner of null: nobody. */
export async function updateHost(work: Work, reference: string, input: HostPatch): Promise<Host> {
  const stored = await mustExist(work.store.hosts, 'host', reference)
  mustBeMine(work, 'host', stored.slug, stored)
  const ownerId = await ownerOf(work, input)
  const patch = given({ title: input.title, enabled: input.enabled, ownerId })
  return work.store.hosts.update(stored.id, { ...patch, ...managerAfter(work, stored) })
}

/** Its connections and their tokens go too. */
export async function removeHost(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.hosts, 'host', reference)
  mustBeMine(work, 'host', stored.slug, stored)
  await work.store.connections.removeOf({ hostId: stored.id })
  await work.store.hosts.remove(stored.id)
}

export async function hostState({ store }: Pick<Work, 'store'>, host: Host): Promise<HostState> {
  const owner = host.ownerId === null ? null : await store.users.find(host.ownerId)
  return { title: host.title, kind: 'token', owner: owner?.email ?? null, enabled: host.enabled }
}

async function ownerOf(work: Work, input: HostPatch): Promise<string | null | undefined> {
  if (input.owner === undefined || input.owner === null) return input.owner
  return (await mustRefer(work.store.users, 'owner', input.owner)).id
}
