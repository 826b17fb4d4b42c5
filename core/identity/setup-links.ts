import { z } from 'zod'
import type { OneTimeRows } from '../db/repositories/one-time.js'
import { createOneTime } from './one-time.js'

const DAY = 24 * 3_600_000

export interface SetupLinkOptions {
  readonly rows: OneTimeRows
  /** Whether a person who administers everything has ever signed in. */
  readonly hasSuperAdmin: () => Promise<boolean>
  /** The id of the command line's account, in whose name the links are. */
  readonly operatorId: () => Promise<string>
}

/** Links with which the first super admin comes in, and a later one when nobody else can. Good for a day, and for one. */
export interface SetupLinks {
  /** Whether nobody can administer yet, so that a link is due. */
  isDue(): Promise<boolean>
  /** A new secret; those before it go on being good. */
  mint(): Promise<string>
  isGood(secret: string): Promise<boolean>
  /** True for one of all who ask. */
  take(secret: string): Promise<boolean>
  /** Gives back what was taken and led to nothing. */
  giveBack(secret: string): Promise<void>
  endAll(): Promise<void>
}

export function createSetupLinks({ rows, hasSuperAdmin, operatorId }: SetupLinkOptions): SetupLinks {
  const links = createOneTime(rows, 'setup', z.object({}))
  const given = async () => ({ payload: {}, ttlMs: DAY, userId: await operatorId() })
  return {
    isDue: async () => !(await hasSuperAdmin()),
    mint: async () => links.mint(await given()),
    isGood: async (secret) => (await links.peek(secret)) !== null,
    take: async (secret) => (await links.take(secret)) !== null,
    giveBack: async (secret) => links.put(secret, await given()),
    endAll: async () => links.endOf(await operatorId()),
  }
}
