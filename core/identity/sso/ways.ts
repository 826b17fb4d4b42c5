import type { Idp } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import type { MayOpen } from '../console-sessions.js'
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
function requiredFor(idps: readonly Idp[], email: string): Idp | null {
  const idp = providerOf(
    idps.filter(({ enabled }) => enabled),
    email,
  )
  return idp !== undefined && isRequired(idp, email) ? idp : null
}

/** Whose provider is required comes in no other way, whichever page let them; the set-up link is the operator's own. */
export function createMayOpen(idps: () => readonly Idp[]): MayOpen {
  return (email, method) => {
    const idp = method === 'sso' || method === 'setup' ? null : requiredFor(idps(), email)
    if (idp === null) return
    throw new GatehouseError('GH_SSO_REQUIRED', {
      message: `You sign in with ${idp.title}. Go to the sign-in page and choose it there.`,
      detail: `${idp.slug} is required: ${method} is not open`,
    })
  }
}

const providerOf = (idps: readonly Idp[], email: string): Idp | undefined => {
  const domain = domainOf(email.toLowerCase())
  return domain === '' ? undefined : idps.find(({ domains }) => domains.includes(domain))
}

const isRequired = ({ required, breakGlass }: Idp, email: string): boolean =>
  required && !breakGlass.includes(email.toLowerCase())

const startAt = ({ slug }: Idp): string => `/auth/sso/start?idp=${slug}`
