import { createConsoleSessionRows } from '../db/repositories/console-sessions.js'
import { createOneTimeRows } from '../db/repositories/one-time.js'
import { createPasswordRows } from '../db/repositories/passwords.js'
import { createBrowser } from '../http/pages/browser.js'
import { createConsoleSessions } from '../identity/console-sessions.js'
import { createHasher } from '../identity/password-hash.js'
import { createPasswords } from '../identity/passwords.js'
import { NO_OTHER_WAYS } from '../identity/sign-in-ways.js'
import { createRefused } from '../record/refusals.js'
import { type House, PARTS } from './house.js'

/** Who is in front of a browser, for every page of ours. */
export function laySigningIn(house: House, publicUrl: () => string): void {
  const { dataSource, vault } = house.get(PARTS.resources)
  house.make(PARTS.consoleSessions, () => createConsoleSessions(createConsoleSessionRows(dataSource.manager)))
  house.make(PARTS.oneTime, () => createOneTimeRows(dataSource.manager, vault))
  house.make(PARTS.browser, (h) => createBrowser({ sessions: h.get(PARTS.consoleSessions), url: publicUrl }))
  house.make(PARTS.passwords, () => createPasswords(createPasswordRows(dataSource.manager), createHasher()))
  house.make(PARTS.signInWays, () => NO_OTHER_WAYS)
  house.make(PARTS.refused, (h) => createRefused(h.get(PARTS.refusals).pages))
}
