import type { Config } from '../config.js'
import { createJoining } from '../configuration/joining.js'
import { ensureOperator } from '../configuration/local-credential.js'
import { createConsoleSessionRows } from '../db/repositories/console-sessions.js'
import { createNewcomerRows } from '../db/repositories/newcomers.js'
import { createOneTimeRows } from '../db/repositories/one-time.js'
import { createPasskeyRows } from '../db/repositories/passkeys.js'
import { createPasswordRows } from '../db/repositories/passwords.js'
import { isOperator, OPERATOR_EMAIL, SUPER_ADMIN } from '../domain/people.js'
import type { AuthOptions } from '../http/pages/auth/options.js'
import { createBrowser } from '../http/pages/browser.js'
import { createThrottle } from '../http/pages/throttle.js'
import { createConsoleSessions } from '../identity/console-sessions.js'
import { createEmailCodes } from '../identity/email-codes.js'
import { createInvitations } from '../identity/invitations.js'
import { createPasskeys } from '../identity/passkeys.js'
import { createHasher } from '../identity/password-hash.js'
import { createPasswords } from '../identity/passwords.js'
import { createPostman } from '../identity/postman.js'
import { createSetupLinks } from '../identity/setup-links.js'
import { createMayOpen } from '../identity/sso/ways.js'
import { createRefused } from '../record/refusals.js'
import { type House, PARTS, type Surroundings } from './house.js'

export interface SigningIn {
  /** The public base URL. */
  readonly url: () => string
  readonly mail: Config['mail']
  readonly log: Surroundings['log']
}

/** Who is in front of a browser, for every page of ours, and how people come in. */
export function laySigningIn(house: House, { url, mail, log }: SigningIn): void {
  const { dataSource, vault } = house.get(PARTS.resources)
  const { manager } = dataSource
  const newcomers = createNewcomerRows(manager)
  house.make(PARTS.consoleSessions, (h) => {
    const mayOpen = createMayOpen(() => h.get(PARTS.snapshots).current().idps)
    return createConsoleSessions(createConsoleSessionRows(manager), { mayOpen })
  })
  house.make(PARTS.oneTime, () => createOneTimeRows(manager, vault))
  house.make(PARTS.browser, (h) => createBrowser({ sessions: h.get(PARTS.consoleSessions), url }))
  house.make(PARTS.passwords, () => createPasswords(createPasswordRows(manager), createHasher()))
  house.make(PARTS.passkeys, (h) =>
    createPasskeys({ rows: createPasskeyRows(manager), oneTime: h.get(PARTS.oneTime), url }),
  )
  house.make(PARTS.mail, () => ({ postman: mail === null ? null : createPostman(mail) }))
  house.make(PARTS.invitations, (h) =>
    createInvitations({
      rows: newcomers,
      oneTime: h.get(PARTS.oneTime),
      postman: h.get(PARTS.mail).postman,
      url,
      onUnsent: (thrown) => log.error({ err: thrown }, 'an invitation could not be mailed'),
    }),
  )
  house.make(PARTS.setupLinks, (h) =>
    createSetupLinks({
      rows: h.get(PARTS.oneTime),
      hasSuperAdmin: () => newcomers.hasComeAs(SUPER_ADMIN, OPERATOR_EMAIL),
      operatorId: async () => (await ensureOperator(h.get(PARTS.store))).id,
    }),
  )
  house.make(PARTS.refused, (h) => createRefused(h.get(PARTS.refusals).pages))
}

/** Where the first super admin comes in; null once one has. */
export async function setupUrl(house: House, url: string): Promise<string | null> {
  const links = house.get(PARTS.setupLinks)
  return (await links.isDue()) ? `${url}/auth/setup/${await links.mint()}` : null
}

/** What the pages under `/auth` work on. */
export function authOptions(
  house: House,
  rest: Pick<AuthOptions, 'turnedAway' | 'addressOf'> & { readonly onBroken: (thrown: unknown) => void },
): AuthOptions {
  const { postman } = house.get(PARTS.mail)
  const { users } = house.get(PARTS.store)
  const personOf = async (email: string) => {
    const user = await users.byKey(email)
    return user === null || !user.enabled || isOperator(user) ? null : user
  }
  const codeOptions = {
    rows: house.get(PARTS.oneTime),
    personOf,
    throttle: createThrottle({ points: 5, seconds: 900 }),
    onUnsent: rest.onBroken,
  }
  return {
    turnedAway: rest.turnedAway,
    addressOf: rest.addressOf,
    browser: house.get(PARTS.browser),
    sessions: house.get(PARTS.consoleSessions),
    passwords: house.get(PARTS.passwords),
    passkeys: house.get(PARTS.passkeys),
    codes: postman === null ? null : createEmailCodes({ ...codeOptions, postman }),
    setupLinks: house.get(PARTS.setupLinks),
    invitations: house.get(PARTS.invitations),
    joining: createJoining(house.get(PARTS.configuration).mutations),
    ways: house.get(PARTS.signInWays),
  }
}
