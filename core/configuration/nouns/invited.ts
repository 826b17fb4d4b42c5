import type { User } from '../../domain/nouns.js'
import { isOperator } from '../../domain/people.js'
import { conflict, lookUp, mustBeMine, mustRefer } from '../work.js'
import type { Work } from '../work.js'
import { createUser, mustOutrank } from './people.js'

export interface InvitationInput {
  readonly emails: readonly string[]
  readonly role?: string | undefined
  readonly teams?: readonly string[] | undefined
}

/**
 * Makes the people who are invited and puts them into their teams. Somebody who is known already and has never come keeps
 * their role; whoever has come needs no invitation, which would be a way into their account.
 */
export async function inviteUsers(
  work: Work,
  { emails, role, teams = [] }: InvitationInput,
  hasCome: (userId: string) => Promise<boolean>,
): Promise<User[]> {
  const users: User[] = []
  for (const email of new Set(emails)) {
    const known = await lookUp(work.store.users, email)
    users.push(known === null ? await createUser(work, email, { role }) : await mayBeInvited(work, known, hasCome))
  }
  for (const team of teams) await join(work, team, users)
  return users
}

export async function mayBeInvited(
  work: Pick<Work, 'store' | 'actor'>,
  user: User,
  hasCome: (userId: string) => Promise<boolean>,
): Promise<User> {
  await mustOutrank(work, user)
  if (isOperator(user)) throw conflict(`'${user.email}' belongs to the command line and is no person`, 'emails')
  if (await hasCome(user.id)) throw conflict(`'${user.email}' has an account already`, 'emails')
  if (!user.enabled) throw conflict(`'${user.email}' is disabled; enable them first`, 'emails')
  return user
}

async function join(work: Work, reference: string, users: readonly User[]): Promise<void> {
  const team = await mustRefer(work.store.teams, 'teams', reference)
  mustBeMine(work, 'team', team.slug, team)
  const memberIds = [...new Set([...team.memberIds, ...users.map(({ id }) => id)])]
  await work.store.teams.update(team.id, { memberIds })
}
