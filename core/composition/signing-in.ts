import { createConsoleSessionRows } from '../db/repositories/console-sessions.js'
import { createOneTimeRows } from '../db/repositories/one-time.js'
import { createPasswordRows } from '../db/repositories/passwords.js'
import { createBrowser } from '../http/pages/browser.js'
import { createConsoleSessions, type MayOpen } from '../identity/console-sessions.js'
import { createHasher } from '../identity/password-hash.js'
import { createPasswords } from '../identity/passwords.js'
import { createRefused } from '../record/refusals.js'
import { requiredFor } from '../identity/sso/ways.js'
import { GatehouseError } from '../errors.js'
import type { Idp } from '../domain/nouns.js'
import { type House, PARTS } from './house.js'

/** Who is in front of a browser, for every page of ours. */
export function laySigningIn(house: House, publicUrl: () => string): void {
  const { dataSource, vault } = house.get(PARTS.resources)
  house.make(PARTS.consoleSessions, (h) =>
    createConsoleSessions(createConsoleSessionRows(dataSource.manager), {
      mayOpen: mayOpen(() => h.get(PARTS.snapshots).current().idps),
    }),
  )
  house.make(PARTS.oneTime, () => createOneTimeRows(dataSource.manager, vault))
  house.make(PARTS.browser, (h) => createBrowser({ sessions: h.get(PARTS.consoleSessions), url: publicUrl }))
  house.make(PARTS.passwords, () => createPasswords(createPasswordRows(dataSource.manager), createHasher()))
  house.make(PARTS.refused, (h) => createRefused(h.get(PARTS.recorder)))
}

/** Whose identity provider is required comes in no other way, whichever page let them; the set-up link is the operator's. */
const mayOpen =
  (idps: () => readonly Idp[]): MayOpen =>
  (email, method) => {
    const idp = method === 'sso' || method === 'setup' ? null : requiredFor(idps(), email)
    if (idp === null) return
    throw new GatehouseError('GH_SSO_REQUIRED', {
      message: `You sign in with ${idp.title}. Go to the sign-in page and choose it there.`,
      detail: `${idp.slug} is required: ${method} is not open`,
    })
  }
