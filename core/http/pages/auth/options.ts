import type { Context } from 'koa'
import type { Joining } from '../../../configuration/joining.js'
import type { SignInMethod } from '../../../db/repositories/console-sessions.js'
import type { ConsoleSessions } from '../../../identity/console-sessions.js'
import type { EmailCodes } from '../../../identity/email-codes.js'
import type { Invitations } from '../../../identity/invitations.js'
import type { Passkeys } from '../../../identity/passkeys.js'
import type { Passwords } from '../../../identity/passwords.js'
import type { SetupLinks } from '../../../identity/setup-links.js'
import type { SignInWays } from '../../../identity/sign-in-ways.js'
import type { Browser } from '../browser.js'
import type { TurnedAway } from '../turned-away.js'

/** All that the pages under `/auth` work on. */
export interface AuthOptions {
  readonly browser: Browser
  readonly sessions: ConsoleSessions
  readonly passwords: Passwords
  readonly passkeys: Passkeys
  /** Null: no mail is sent from here. */
  readonly codes: EmailCodes | null
  readonly setupLinks: SetupLinks
  readonly invitations: Invitations
  readonly joining: Joining
  readonly ways: SignInWays
  readonly turnedAway: TurnedAway
  readonly addressOf: (req: Context['req']) => string
}

export interface Welcome {
  readonly userId: string
  readonly method: SignInMethod
  /** A page of ours. */
  readonly to: string
}

/** What the pages share besides. */
export interface AuthRoom extends AuthOptions {
  /** Throws GH_PAGE_RATE_LIMITED when too much has been tried from this address of late. */
  slowDown(ctx: Context): Promise<void>
  /** Ends all that a person signed in with until now, and their sessions: whoever found a way in must not stay. */
  endWays(userId: string): Promise<void>
  /** Signs in and goes on; the try that led to it does not count. */
  welcome(ctx: Context, who: Welcome): Promise<void>
}
