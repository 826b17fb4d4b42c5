import { z } from 'zod'
import { inviteUsers, mayBeInvited } from '../../configuration/nouns/invited.js'
import { removeUser } from '../../configuration/nouns/people.js'
import { strict } from '../../configuration/problems.js'
import { email, reference } from '../../configuration/schemas.js'
import { mustCover, mustExist } from '../../configuration/work.js'
import { GatehouseError } from '../../errors.js'
import { InvitationAnswer, SentAnswer } from './answers.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'
import { pageOf, PageQuery, pageThrough } from './pages.js'

const need = 'managePeople'
const Sent = z.object({ items: z.array(SentAnswer) })

/** Asking people to join, and the link for the first of all. */
export function invitationOperations(options: ApiOptions): Operation[] {
  const { store, mutations, invitations, setupLinks, url } = options
  /** Somebody who was invited and has not come. */
  const guestOf = async ({ params, actor }: Pick<ApiCall, 'params' | 'actor'>, mayHaveCome = false) => {
    const user = await mustExist(store.users, 'user', params['id'] ?? '')
    const isPending = (await invitations.pending()).some(({ id }) => id === user.id)
    if (!isPending) throw new GatehouseError('GH_API_NOT_FOUND', { message: `'${user.email}' has no open invitation` })
    return mayBeInvited({ store, actor }, user, mayHaveCome ? async () => false : invitations.hasCome)
  }
  return [
    operation({
      id: 'listInvitations',
      method: 'get',
      path: '/invitations',
      summary: 'Lists the people who were invited and have not come yet.',
      need,
      query: PageQuery,
      output: pageOf(InvitationAnswer),
      handle: async ({ query }) => pageThrough(await invitations.pending(), query, (one) => one),
    }),
    operation({
      id: 'createInvitations',
      method: 'post',
      path: '/invitations',
      summary: 'Makes people with a role and teams, and sends each a link; without mail, the links are in the answer.',
      need,
      input: strict({
        emails: z.array(email).min(1).max(100),
        role: reference.optional().describe('the default role of the workspace unless given'),
        teams: z.array(reference).max(200).optional(),
      }),
      output: Sent,
      async handle({ actor, caller, input }) {
        const users = await mutations.change(actor, (work) => inviteUsers(work, input, invitations.hasCome))
        return { items: await Promise.all(users.map((user) => invitations.send({ user, by: caller }))) }
      },
    }),
    operation({
      id: 'resendInvitation',
      method: 'post',
      path: '/invitations/{id}/resend',
      summary: 'Sends a person a new link, by id or e-mail address; the one before it ends.',
      need,
      output: SentAnswer,
      async handle(call) {
        const user = await guestOf(call)
        return invitations.send({ user, by: call.caller })
      },
    }),
    operation({
      id: 'revokeInvitation',
      method: 'delete',
      path: '/invitations/{id}',
      summary: 'Takes an invitation back. A person who never came and whom no file names is removed.',
      need,
      async handle(call) {
        const user = await guestOf(call, true)
        await invitations.revoke(user.id)
        const isNew = !(await invitations.hasCome(user.id))
        if (isNew && user.managedBy === 'api') await mutations.change(call.actor, (work) => removeUser(work, user.id))
      },
    }),
    operation({
      id: 'recoverUser',
      method: 'post',
      path: '/users/{id}/recovery',
      summary: 'Sends a person who has lost every way to sign in a link to set one up anew. Only a super admin may.',
      need,
      output: SentAnswer,
      async handle({ actor, caller, params }) {
        mustCover({ actor }, ['*'], 'whoever opens another’s account')
        const found = await mustExist(store.users, 'user', params['id'] ?? '')
        const user = await mayBeInvited({ store, actor }, found, async () => false)
        return invitations.send({ user, by: caller, again: true })
      },
    }),
    operation({
      id: 'createSetupLink',
      method: 'post',
      path: '/setup-links',
      summary: 'Makes a link that lets one person come in as a super admin. Only a super admin may.',
      need,
      output: z.object({ url: z.string() }),
      async handle({ actor }) {
        mustCover({ actor }, ['*'], 'a super admin')
        await setupLinks.endAll()
        return { url: `${url()}/auth/setup/${await setupLinks.mint()}` }
      },
    }),
  ]
}
