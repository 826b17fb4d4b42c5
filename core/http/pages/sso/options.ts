import type { Context } from 'koa'
import type { Idp } from '../../../domain/nouns.js'
import type { IdpLinkRepository } from '../../../domain/store.js'
import type { OneTimeRows } from '../../../db/repositories/one-time.js'
import type { ConsoleSessions } from '../../../identity/console-sessions.js'
import type { Arrivals } from '../../../identity/sso/arrivals.js'
import type { IdpAsks } from '../../../identity/sso/asks.js'
import type { Trips } from '../../../identity/sso/trips.js'
import type { SubjectTokens } from '../../../identity/subject-tokens.js'
import type { Browser } from '../browser.js'
import type { TurnedAway } from '../turned-away.js'

/** All that the pages under `/auth/sso` work on. */
export interface SsoOptions {
  readonly browser: Browser
  readonly sessions: Pick<ConsoleSessions, 'endOfIdp'>
  /** As they stand now, oldest first. */
  readonly idps: () => readonly Idp[]
  readonly asks: IdpAsks
  readonly trips: Trips
  readonly arrivals: Arrivals
  readonly links: Pick<IdpLinkRepository, 'find'>
  readonly tokens: SubjectTokens
  readonly oneTime: OneTimeRows
  readonly turnedAway: TurnedAway
  readonly addressOf: (req: Context['req']) => string
  /** The public base URL, without a trailing slash. */
  readonly url: () => string
}
