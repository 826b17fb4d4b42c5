import type { Bearer } from '../../domain/bearer.js'
import type { Identity } from '../../domain/nouns.js'
import type { GrantRepository } from '../../domain/store.js'
import { HeldGrant } from './held-grant.js'
import type { HeldGrantOptions } from './held-grant.js'
import { createRenewal } from './renewal.js'
import type { RenewalOptions } from './renewal.js'

/** So many grants are held in memory; past it those that were not asked for the longest are read again. */
const CAPACITY = 50_000

/** The tokens of OAuth identities: valid ones from memory, renewed ahead of their end. */
export interface Grants {
  bearer(identity: Identity): Bearer
  /** Waits for renewals under way: what was rotated and not kept is lost. */
  stop(): Promise<void>
}

/** What follows from how renewing an identity's tokens ended. */
export interface GrantEnds {
  readonly ended: HeldGrantOptions['onEnd']
  /** Somebody has given or renewed it. */
  readonly authorised: (identity: Pick<Identity, 'id'>) => void
}

export interface GrantsOptions extends Omit<RenewalOptions, 'grants'> {
  readonly grants: GrantRepository
  readonly onEnd: HeldGrantOptions['onEnd']
  readonly random?: () => number
}

export function createGrants(options: GrantsOptions): Grants {
  const { grants, onEnd, now = Date.now, random = Math.random } = options
  const held = new Map<string, HeldGrant>()
  const renew = createRenewal(options)
  const make = (identity: Identity) =>
    new HeldGrant(identity, { find: grants.find, want: grants.want, renew, onEnd, now, random })

  return {
    bearer(identity) {
      const known = held.get(identity.id)
      if (known !== undefined) return known.meet(identity)
      if (held.size >= CAPACITY) for (const id of [...held.keys()].slice(0, CAPACITY / 10)) held.delete(id)
      const made = make(identity)
      held.set(identity.id, made)
      return made
    },
    async stop() {
      await Promise.all([...held.values()].map((one) => one.settled))
    },
  }
}
