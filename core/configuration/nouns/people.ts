import type { z } from 'zod'
import { CAPABILITIES } from '../../domain/capabilities.js'
import type { Role, Team, User } from '../../domain/nouns.js'
import { BUILT_IN_ROLES, isOperator, isSuperAdmin, SUPER_ADMIN } from '../../domain/people.js'
import type { Role as RoleSchema, Team as TeamSchema, User as UserSchema } from '../schemas.js'
import { invalid } from '../problems.js'
import { conflict, given, managerAfter, mustBeFree, mustBeMine, mustCover, mustExist, mustRefer } from '../work.js'
import type { Work } from '../work.js'

export type RoleInput = z.output<typeof RoleSchema>
export interface NewRoleInput {
  readonly title?: string | undefined
  readonly capabilities?: readonly string[] | undefined
  readonly from?: string | undefined
}
export type TeamInput = z.output<typeof TeamSchema>
export type UserInput = z.output<typeof UserSchema>

export interface RoleState {
  readonly title: string
  readonly capabilities: readonly string[]
}
export interface TeamState {
  readonly title: string
  readonly enabled: boolean
  readonly members: readonly string[]
}
export interface UserState {
  readonly name: string
  readonly role: string
  readonly enabled: boolean
}

/** With `from`, what that role holds, and `capabilities` in the place of it when they are given. */
export async function createRole(work: Work, slug: string, input: NewRoleInput): Promise<Role> {
  await mustBeFree(work.store.roles, 'role', slug)
  const from = input.from === undefined ? null : await mustRefer(work.store.roles, 'from', input.from)
  const capabilities = unique(input.capabilities ?? allOf(from?.capabilities ?? []))
  mustCover(work, capabilities, 'this role')
  const { managedBy } = work.actor
  return work.store.roles.insert({ slug, title: input.title ?? slug, capabilities, managedBy })
}

export async function updateRole(work: Work, reference: string, input: Partial<RoleInput>): Promise<Role> {
  const stored = await mustExist(work.store.roles, 'role', reference)
  mustBeMine(work, 'role', stored.slug, stored)
  mustCover(work, stored.capabilities, 'this role')
  mustCover(work, input.capabilities ?? [], 'this role')
  if (stored.slug === SUPER_ADMIN) throw conflict(`the role '${SUPER_ADMIN}' always holds every capability`)
  if (BUILT_IN_ROLES.includes(stored.slug) && input.title !== undefined && input.title !== stored.title)
    throw conflict(`the role '${stored.slug}' is built in and keeps its name`, 'title')
  const capabilities = input.capabilities && unique(input.capabilities)
  const patch = given({ title: input.title, capabilities })
  return work.store.roles.update(stored.id, { ...patch, ...managerAfter(work, stored) })
}

export async function removeRole(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.roles, 'role', reference)
  mustBeMine(work, 'role', stored.slug, stored)
  if (BUILT_IN_ROLES.includes(stored.slug)) throw conflict(`the role '${stored.slug}' is built in`)
  const holders = (await work.store.users.inRole(stored.slug)).map(({ email }) => email)
  if (holders.length > 0) throw conflict(`the role '${stored.slug}' is held by ${some(holders)}`)
  const { defaultRole } = await work.store.settings.get()
  if (defaultRole === stored.slug) throw conflict(`the role '${stored.slug}' is the default of new users`)
  await work.store.roles.remove(stored.id)
}

export async function createUser(work: Work, email: string, input: UserInput): Promise<User> {
  await mustBeFree(work.store.users, 'user', email)
  const role = await grantable(work, input.role ?? (await work.store.settings.get()).defaultRole)
  const { managedBy } = work.actor
  return work.store.users.insert({ email, name: input.name ?? '', role, enabled: input.enabled ?? true, managedBy })
}

export async function updateUser(work: Work, reference: string, input: UserInput): Promise<User> {
  const stored = await mustExist(work.store.users, 'user', reference)
  mustBeMine(work, 'user', stored.email, stored)
  await mustOutrank(work, stored)
  mustBePerson(stored, input)
  const role = input.role === undefined ? stored.role : await grantable(work, input.role)
  const enabled = input.enabled ?? stored.enabled
  if (role !== SUPER_ADMIN || !enabled) await mustNotBeLast(work, stored)
  const patch = { ...given({ name: input.name }), role, enabled }
  return work.store.users.update(stored.id, { ...patch, ...managerAfter(work, stored) })
}

/** Connections, tokens, memberships, personal identities and all that the person signs in with go too. */
export async function removeUser(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.users, 'user', reference)
  mustBeMine(work, 'user', stored.email, stored)
  mustBePerson(stored, { enabled: false })
  await mustOutrank(work, stored)
  await mustNotBeLast(work, stored)
  await work.store.users.remove(stored.id)
}

export async function createTeam(work: Work, slug: string, input: TeamInput): Promise<Team> {
  await mustBeFree(work.store.teams, 'team', slug)
  const memberIds = await membersOf(work, input.members ?? [])
  const { managedBy } = work.actor
  return work.store.teams.insert({
    slug,
    title: input.title ?? slug,
    enabled: input.enabled ?? true,
    memberIds,
    managedBy,
  })
}

export async function updateTeam(work: Work, reference: string, input: TeamInput): Promise<Team> {
  const stored = await mustExist(work.store.teams, 'team', reference)
  mustBeMine(work, 'team', stored.slug, stored)
  const memberIds = input.members && (await membersOf(work, input.members))
  const patch = given({ title: input.title, enabled: input.enabled, memberIds })
  return work.store.teams.update(stored.id, { ...patch, ...managerAfter(work, stored) })
}

/** Memberships and gateway links go with it; people and gateways stay. */
export async function removeTeam(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.teams, 'team', reference)
  mustBeMine(work, 'team', stored.slug, stored)
  const mapping = (await work.store.idps.all()).find(({ groups }) => Object.values(groups).includes(stored.slug))
  if (mapping) throw conflict(`groups of '${mapping.slug}' are mapped to the team '${stored.slug}'`)
  for (const gateway of await work.store.gateways.all())
    if (gateway.teamIds.includes(stored.id))
      await work.store.gateways.update(gateway.id, { teamIds: gateway.teamIds.filter((id) => id !== stored.id) })
  await work.store.teams.remove(stored.id)
}

export async function teamState({ store }: Pick<Work, 'store'>, team: Team): Promise<TeamState> {
  const members = (await store.users.many(team.memberIds)).map(({ email }) => email)
  return { title: team.title, enabled: team.enabled, members: members.toSorted() }
}

async function membersOf({ store }: Work, references: readonly string[]): Promise<string[]> {
  const wanted = references.map((reference) => reference.toLowerCase())
  const known = new Map(
    (await store.users.many(wanted)).flatMap(({ id, email }) => [[id, id] as const, [email, id] as const]),
  )
  return unique(
    wanted.map((reference) => {
      const id = known.get(reference)
      if (id === undefined) throw invalid('members', `'${reference}' does not exist`)
      return id
    }),
  )
}

async function grantable(work: Work, reference: string): Promise<string> {
  const role = await mustRefer(work.store.roles, 'role', reference)
  mustCover(work, role.capabilities, `the role '${role.slug}'`)
  return role.slug
}

/** A person who holds more than the actor is out of the actor's reach: else managing people would be a way to everything. */
export async function mustOutrank(work: Pick<Work, 'store' | 'actor'>, user: User): Promise<void> {
  const role = await work.store.roles.byKey(user.role)
  mustCover(work, role?.capabilities ?? ['*'], `'${user.email}'`)
}

async function mustNotBeLast(work: Work, user: User): Promise<void> {
  if (!isSuperAdmin(user)) return
  const others = (await work.store.users.inRole(SUPER_ADMIN)).filter((other) => other.id !== user.id)
  if (!others.some(isSuperAdmin)) throw conflict(`'${user.email}' is the last enabled super admin`)
}

/** The command line's own account stays as it is: it is how an operator gets back in. */
function mustBePerson(user: User, { role = user.role, enabled = user.enabled }: UserInput): void {
  if (isOperator(user) && (role !== user.role || enabled !== user.enabled))
    throw conflict(`'${user.email}' belongs to the command line and stays as it is`)
}

/** What `*` stands for, by name: another role than the super admin's holds what there is today. */
const allOf = (capabilities: readonly string[]): readonly string[] =>
  capabilities.includes('*') ? CAPABILITIES : capabilities

const some = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} others` : '')

const unique = (keys: readonly string[]): string[] => [...new Set(keys)]
