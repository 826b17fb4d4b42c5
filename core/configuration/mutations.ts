import { holds } from '../domain/capabilities.js'
import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import type { Actor, Checks, Work } from './work.js'

export interface MutationOptions {
  readonly store: Store
  readonly checks: Checks
  /** Called after each change is in the database and before `change` resolves: a change holds when it is answered. */
  readonly onChanged: () => Promise<void>
  /** Changes come one after another, on all replicas: what a change has read must still hold when it writes. */
  readonly lock: <T>(work: () => Promise<T>) => Promise<T>
  readonly now?: () => Date
}

/** The one way in which configuration changes, for the admin API and the file alike. */
export interface Mutations {
  /** What `work` writes lands together or not at all; then the epoch rises and `onChanged` is awaited. */
  change<T>(actor: Actor, work: (work: Work) => Promise<T>): Promise<T>
  /** Does the work and takes it back: what it would answer, or refuse. */
  rehearse<T>(actor: Actor, work: (work: Work) => Promise<T>): Promise<T>
}

export function createMutations(options: MutationOptions): Mutations {
  const { store, checks, onChanged, lock, now = () => new Date() } = options
  return {
    async change(actor, work) {
      const result = await lock(() =>
        store.transaction(async (inside) => {
          await mustStillHold(inside, actor)
          const answer = await work({ store: inside, actor, checks, now })
          await inside.bumpEpoch()
          return answer
        }),
      )
      await onChanged()
      return result
    },

    async rehearse<T>(actor: Actor, work: (work: Work) => Promise<T>): Promise<T> {
      const outcome: { answer?: { readonly value: T } } = {}
      const rehearsal = store.transaction(async (inside) => {
        outcome.answer = { value: await work({ store: inside, actor, checks, now }) }
        throw new Error('taken back')
      })
      await rehearsal.catch((error: unknown) => {
        if (outcome.answer === undefined) throw error
      })
      if (outcome.answer === undefined) throw new Error('a transaction swallowed its own failure')
      return outcome.answer.value
    },
  }
}

/** Whoever was disabled, or lost a right, while their change waited for others changes nothing any more. */
async function mustStillHold(store: Store, { userId, capabilities }: Actor): Promise<void> {
  if (userId === null) return
  const user = await store.users.find(userId)
  const role = user?.enabled ? await store.roles.byKey(user.role) : null
  const held = new Set(role?.capabilities)
  if (role !== null && [...capabilities].every((key) => holds(held, key))) return
  throw new GatehouseError('GH_API_FORBIDDEN', {
    message: 'Your rights have just changed. Look at them and try again.',
  })
}
