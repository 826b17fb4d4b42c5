import type { Idp } from '../../domain/nouns.js'
import type { SignInWays } from '../sign-in-ways.js'
import { domainOf } from './arrivals.js'

/** What the identity providers add to the sign-in page: a button each, and the way of the people of their domains. */
export function createSignInWays(idps: () => readonly Idp[]): SignInWays {
  const open = () => idps().filter(({ enabled }) => enabled)
  return {
    async byEmail(email) {
      const idp = providerOf(open(), email)
      if (idp === undefined) return null
      const url = `${startAt(idp)}&login_hint=${encodeURIComponent(email)}`
      return { url, required: isRequired(idp, email) }
    },
    buttons: async () =>
      open()
        .filter(({ button }) => button)
        .map((idp) => ({ title: `Sign in with ${idp.title}`, url: startAt(idp) })),
  }
}

/** The provider that people with this address must use, if there is one: no way of this gateway's own is open to them. */
export function requiredFor(idps: readonly Idp[], email: string): Idp | null {
  const idp = providerOf(
    idps.filter(({ enabled }) => enabled),
    email,
  )
  return idp !== undefined && isRequired(idp, email) ? idp : null
}

const providerOf = (idps: readonly Idp[], email: string): Idp | undefined => {
  const domain = domainOf(email.toLowerCase())
  return domain === '' ? undefined : idps.find(({ domains }) => domains.includes(domain))
}

const isRequired = ({ required, breakGlass }: Idp, email: string): boolean =>
  required && !breakGlass.includes(email.toLowerCase())

const startAt = ({ slug }: Idp): string => `/auth/sso/start?idp=${slug}`
