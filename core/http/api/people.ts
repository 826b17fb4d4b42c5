import { z } from 'zod'
import { createRole, createTeam, createUser } from '../../configuration/nouns/people.js'
import { mustOutrank, removeRole, removeTeam, removeUser, teamState } from '../../configuration/nouns/people.js'
import { updateRole, updateTeam, updateUser } from '../../configuration/nouns/people.js'
import { strict } from '../../configuration/problems.js'
import { email, reference, roleShape, slug, teamShape, userShape } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import { RoleAnswer, TeamAnswer, UserAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiOptions, Operation } from './operation.js'
import { PageQuery } from './pages.js'

const see = 'managePeople'

export function teamOperations({ store, mutations }: ApiOptions): Operation[] {
  return crud({
    name: 'team',
    path: '/teams',
    see,
    needs: NEEDS.teams,
    answer: TeamAnswer,
    create: strict({ slug, ...teamShape }),
    patch: strict(teamShape),
    about: { delete: 'Removes a team; its people and gateways stay.' },
    mutations,
    rows: () => store.teams.all(),
    one: (_, reference) => mustExist(store.teams, 'team', reference),
    show: async (team) => ({ ...team, ...(await teamState({ store }, team)) }),
    doCreate: (work, { slug, ...input }) => createTeam(work, slug, input),
    doUpdate: updateTeam,
    doRemove: removeTeam,
  })
}

export function userOperations({ store, mutations }: ApiOptions): Operation[] {
  return crud({
    name: 'user',
    path: '/users',
    see,
    needs: NEEDS.users,
    answer: UserAnswer,
    create: strict({ email, ...userShape }),
    patch: strict(userShape),
    about: {
      get: 'Shows a person, by id or e-mail address.',
      delete: 'Removes a person with their connections, tokens and personal identities.',
    },
    mutations,
    paged: { query: PageQuery, page: (_, slice) => store.users.page(slice) },
    one: (_, reference) => mustExist(store.users, 'user', reference),
    show: async (user) => user,
    doCreate: (work, { email, ...input }) => createUser(work, email, input),
    doUpdate: updateUser,
    doRemove: removeUser,
  })
}

/** What a person does at a browser ends there, at once. */
export function signOutOperations({ store, sessions }: ApiOptions): Operation[] {
  return [
    operation({
      id: 'signUserOut',
      method: 'post',
      path: '/users/{id}/sign-out',
      summary: 'Ends all sessions of a person at the console and its pages. Tokens and AI clients stay.',
      need: 'managePeople',
      output: z.object({ ended: z.int() }),
      async handle({ actor, params }) {
        const user = await mustExist(store.users, 'user', params['id'] ?? '')
        await mustOutrank({ store, actor }, user)
        return { ended: await sessions.endOf(user.id) }
      },
    }),
  ]
}

export function roleOperations({ store, mutations }: ApiOptions): Operation[] {
  return crud({
    name: 'role',
    path: '/roles',
    see,
    needs: NEEDS.roles,
    answer: RoleAnswer,
    create: strict({
      slug,
      ...roleShape,
      capabilities: roleShape.capabilities.optional(),
      from: reference.optional().describe('a role to copy, by id or name'),
    }).refine(({ capabilities, from }) => capabilities !== undefined || from !== undefined, {
      path: ['capabilities'],
      error: 'is needed, or `from` with a role to copy',
    }),
    patch: strict({ ...roleShape, capabilities: roleShape.capabilities.optional() }),
    about: {
      create: 'Makes a role, new or as a copy of another one.',
      delete: 'Removes a role that nobody holds.',
    },
    mutations,
    rows: () => store.roles.all(),
    one: (_, reference) => mustExist(store.roles, 'role', reference),
    show: async (role) => role,
    doCreate: (work, { slug, ...input }) => createRole(work, slug, input),
    doUpdate: updateRole,
    doRemove: removeRole,
  })
}
