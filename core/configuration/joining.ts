import type { User } from '../domain/nouns.js'
import { isSuperAdmin, SUPER_ADMIN } from '../domain/people.js'
import type { Mutations } from './mutations.js'
import { createUser, updateUser } from './nouns/people.js'
import { conflict, GATEWAY } from './work.js'

/** What people change of themselves while they come in, or later on. */
export interface Joining {
  /** Makes whoever came by a set-up link a super admin: a new person, or one who is known by the address. */
  superAdmin(person: { readonly email: string; readonly name: string }): Promise<User>
  /** A name is one's own affair, also of people whom a file made; a name that the file gives comes back with it. */
  rename(user: Pick<User, 'id'>, name: string): Promise<void>
}

export function createJoining(mutations: Mutations): Joining {
  return {
    superAdmin: ({ email, name }) =>
      mutations.change(GATEWAY, async (work) => {
        const known = await work.store.users.byKey(email)
        if (known === null) return createUser(work, email, { name, role: SUPER_ADMIN })
        if (isSuperAdmin(known)) return known
        if (known.managedBy === 'file')
          throw conflict(`the file says who '${email}' is: make them a super-admin there, or take another address`)
        // What somebody made in this account before must not rise with it.
        await work.store.tokens.removeOf({ kind: 'admin', userId: known.id })
        await work.store.connections.removeOf({ userId: known.id })
        return updateUser(work, known.id, { role: SUPER_ADMIN, enabled: true })
      }),
    rename: async ({ id }, name) =>
      void (await mutations.change(GATEWAY, ({ store }) => store.users.update(id, { name }))),
  }
}
