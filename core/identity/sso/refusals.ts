import { GatehouseError } from '../../errors.js'
import type { Idp } from '../../domain/nouns.js'

/** Refusals of a sign-in elsewhere: what its person reads, and after it what the log says. */
export const refused = (message: string, detail: string): GatehouseError =>
  new GatehouseError('GH_SSO_REFUSED', { message, detail })

export const unverified = ({ title, slug }: Idp): GatehouseError =>
  refused(
    `${title} does not say that your e-mail address is verified. Verify it there, or ask your administrator.`,
    `${slug}: the e-mail address is not verified`,
  )

export const foreignDomain = ({ title, slug }: Idp, domain: string): GatehouseError =>
  refused(
    `${title} does not speak for addresses of ${domain || 'your domain'}. Sign in another way, or ask your administrator.`,
    `${slug}: '${domain}' is none of its domains`,
  )

export const guarded = ({ title, slug }: Idp): GatehouseError =>
  refused(
    `This account is tied to ${title} only by whoever holds it: sign in here first, then choose ${title} once more.`,
    `${slug}: the account is not linked without its holder`,
  )

export const tiedElsewhere = ({ title, slug }: Idp): GatehouseError =>
  refused(
    `Your address is tied to another account of ${title}. Ask your administrator to untie it.`,
    `${slug}: the person is linked to another subject of this issuer`,
  )

export const disabled = ({ slug }: Idp): GatehouseError =>
  refused('This account is disabled. Ask an administrator to enable it.', `${slug}: the person is disabled`)

export const notSignedIn = ({ title }: Idp, reason: string): GatehouseError =>
  refused(`${title} did not sign you in. Try again, or sign in another way.`, reason)

export const unavailable = ({ title }: Idp, reason: string): GatehouseError =>
  new GatehouseError('GH_SSO_UNAVAILABLE', {
    message: `${title} cannot be reached just now. Try again in a moment, or sign in another way.`,
    detail: reason,
  })
