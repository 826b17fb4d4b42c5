import type { Settled } from './config.js'
import { Refusal } from './provider.js'

export type Claims = Readonly<Record<string, unknown>>

/** What the claims of an ID token and of userinfo, both of one subject, say of a person. */
export interface Said {
  readonly email: string
  readonly emailVerified: boolean
  readonly name: string
  readonly groups: readonly string[] | null
}

/** `userinfo` is empty when it was not asked. The ID token, being signed, wins. Throws `Refusal`. */
export function readClaims(idToken: Claims, userinfo: Claims, settled: Settled): Said {
  const sources = [idToken, userinfo]
  if (settled.preset === 'google') mustBeOfWorkspace(sources, settled)
  // An address and its verification are only ever taken from one place.
  const from =
    sources.find((claims) => isText(claims['email']) && verificationOf(claims) !== undefined) ??
    sources.find((claims) => isText(claims['email'])) ??
    {}
  return {
    email: emailOf(from, sources, settled),
    emailVerified: isVerified(from, sources, settled),
    name: nameOf({ ...userinfo, ...idToken }),
    groups: groupsOf(sources, settled.groupsClaim),
  }
}

/** Whether all that is wanted stands in the ID token already. */
export const isEnough = (claims: Claims, { groupsClaim }: Settled): boolean =>
  isText(claims['email']) &&
  verificationOf(claims) !== undefined &&
  isText(claims['name']) &&
  (groupsClaim === null || (claims[groupsClaim] !== undefined && !isCutShort(claims[groupsClaim])))

function emailOf(from: Claims, sources: readonly Claims[], { preset }: Settled): string {
  if (isText(from['email'])) return from['email'].trim()
  if (preset !== 'entra') return ''
  // Entra leaves the address out of accounts without a mailbox; the sign-in name has the same form.
  const upn = sources.map((claims) => claims['preferred_username']).find((name) => isText(name))
  return isText(upn) && upn.includes('@') ? upn.trim() : ''
}

/** A private account may bear the address of any company, whoever vouches for its domain; an organisation's own has `hd`. */
function mustBeOfWorkspace(sources: readonly Claims[], { hostedDomain }: Settled): void {
  const hd = sources.map((claims) => claims['hd']).find((domain) => isText(domain))
  if (!isText(hd)) throw new Refusal('the account is of no Google Workspace')
  if (hostedDomain !== null && hd.toLowerCase() !== hostedDomain)
    throw new Refusal('the account is of another Google Workspace')
}

function isVerified(from: Claims, sources: readonly Claims[], { preset }: Settled): boolean {
  if (preset === 'entra')
    // That the domain of the address is one that the tenant has proven to own.
    return isText(from['email']) && (verificationOf(from) ?? sources.some(({ xms_edov: owned }) => isYes(owned)))
  return verificationOf(from) ?? false
}

/** Undefined when nothing is said; some write the word instead of the value. */
function verificationOf(claims: Claims): boolean | undefined {
  const said = claims['email_verified']
  return said === undefined || said === null ? undefined : said === true || said === 'true'
}

function nameOf(claims: Claims): string {
  const parts = [claims['given_name'], claims['family_name']].filter((part) => isText(part))
  const name = isText(claims['name']) ? claims['name'] : parts.join(' ')
  return name.trim().slice(0, 100)
}

/** No claim is no groups, as most leave it out when there are none; a claim that lies elsewhere is not known. */
function groupsOf(sources: readonly Claims[], claim: string | null): readonly string[] | null {
  if (claim === null) return null
  const all = sources.map((claims) => claims[claim]).filter((groups) => groups !== undefined)
  const said = all.find((groups) => !isCutShort(groups))
  if (said === undefined && all.length > 0) return null
  if (Array.isArray(said)) return said.filter((group): group is string => typeof group === 'string')
  if (typeof said === 'string') return [said]
  // OpenID Connect Core section 5.6.2, and Entra's word for people with too many groups.
  const elsewhere = sources.some(({ _claim_names: names, hasgroups }) => isYes(hasgroups) || namesIt(names, claim))
  return elsewhere ? null : []
}

/** Ping's word in an ID token for more values than fit; userinfo then has them all. */
const isCutShort = (groups: unknown): boolean => [groups].flat().includes('[SIZE_LIMIT_EXCEEDED]')
const namesIt = (names: unknown, claim: string): boolean =>
  typeof names === 'object' && names !== null && Object.hasOwn(names, claim)
const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''
const isYes = (value: unknown): boolean => value === true || value === 1 || value === '1' || value === 'true'
