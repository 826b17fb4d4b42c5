import type { Context } from 'koa'
import type { Passwords } from '../../../identity/passwords.js'
import type { SignInWays } from '../../../identity/sign-in-ways.js'
import type { Browser } from '../browser.js'
import type { TurnedAway } from '../turned-away.js'

/** All that the pages under `/auth` work on. */
export interface AuthOptions {
  readonly browser: Browser
  readonly passwords: Passwords
  readonly ways: SignInWays
  readonly turnedAway: TurnedAway
  readonly addressOf: (req: Context['req']) => string
}
