import type { IdpPerson } from '@gatehouse/sdk'
import type { Idp, User } from '../../domain/nouns.js'
import type { Store } from '../../domain/store.js'
import { teamChanges } from './groups.js'
import { disabled, foreignDomain, guarded, tiedElsewhere, unverified } from './refusals.js'

/** Who came back: somebody who may come in, or somebody who is to be asked whether they are that account's holder. */
export type Arrival =
  | { readonly kind: 'in'; readonly userId: string }
  | { readonly kind: 'ask'; readonly userId: string; readonly email: string }

export interface Arrivals {
  /**
   * Finds or makes the person here. `present` is who is signed in in that browser. Throws GH_SSO_REFUSED. What it makes
   * or changes holds when it answers.
   */
  arrive(idp: Idp, person: IdpPerson, present: string | null): Promise<Arrival>
  /** Ties an account whose holder has said yes. */
  tie(idp: Idp, person: Pick<IdpPerson, 'issuer' | 'subject'>, userId: string): Promise<void>
  /** Gives and takes the teams that the groups are mapped to, and no others. */
  followGroups(idp: Idp, userId: string, groups: IdpPerson['groups']): Promise<void>
}

type Reading = Pick<Store, 'users' | 'roles' | 'settings' | 'idpLinks'>

export interface ArrivalsOptions {
  readonly store: Reading
  /** Changes people: all or nothing, one change after another on all replicas, known everywhere when it settles. */
  readonly change: <T>(work: (store: Reading) => Promise<T>) => Promise<T>
}

type Decision =
  Arrival | { readonly kind: 'link'; readonly user: User } | { readonly kind: 'make'; readonly email: string }

export function createArrivals({ store, change }: ArrivalsOptions): Arrivals {
  return {
    async arrive(idp, person, present) {
      const decided = await decide(store, { idp, person, present })
      if (decided.kind === 'in') await store.idpLinks.used(person.issuer, person.subject)
      if (decided.kind === 'in' || decided.kind === 'ask') return decided
      // What was seen outside of the change may have changed since.
      return change(async (inside) => carryOut(inside, { idp, person, present }))
    },
    tie: (idp, person, userId) => change((inside) => link(inside, { idp, person, userId })),
    async followGroups(idp, userId, groups) {
      if (groups === null) return
      const { join, leave } = teamChanges(idp.groups, groups, await store.idpLinks.teamsOf(userId))
      if (join.length + leave.length === 0) return
      await change(async (inside) => {
        await inside.idpLinks.join(userId, join)
        await inside.idpLinks.leave(userId, leave)
      })
    },
  }
}

interface Asked {
  readonly idp: Idp
  readonly person: IdpPerson
  readonly present: string | null
}

async function decide(store: Reading, { idp, person, present }: Asked): Promise<Decision> {
  const email = person.email.toLowerCase()
  const domain = domainOf(email)
  const isOurs = idp.domains.includes(domain)
  if (!person.emailVerified && !(idp.trustDomainVerifiedEmail && isOurs)) throw unverified(idp)
  const known = await store.idpLinks.find(person.issuer, person.subject)
  // Of two providers with one issuer, one cannot speak for the people of the other: it may ask for less to sign in.
  if (known !== null && known.idpId !== idp.id) throw tiedElsewhere(idp)
  if (known !== null) return { kind: 'in', userId: enabledOr(idp, await store.users.find(known.userId)).id }
  const user = await store.users.byKey(email)
  if (user === null) {
    if (!isOurs) throw foreignDomain(idp, domain)
    return { kind: 'make', email }
  }
  enabledOr(idp, user)
  // An address that was given to somebody else since must not bring the account along.
  if (await store.idpLinks.isTied(user.id, person.issuer)) throw tiedElsewhere(idp)
  const isGuarded = await mustBeAsked(store, idp, user)
  if (isOurs && !isGuarded) return { kind: 'link', user }
  if (present === user.id) return { kind: 'ask', userId: user.id, email }
  throw isGuarded ? guarded(idp) : foreignDomain(idp, domain)
}

async function carryOut(store: Reading, asked: Asked): Promise<Arrival> {
  const decided = await decide(store, asked)
  const { idp, person } = asked
  if (decided.kind === 'in' || decided.kind === 'ask') return decided
  const user = decided.kind === 'link' ? decided.user : await makeUser(store, idp, { ...person, email: decided.email })
  await link(store, { idp, person, userId: user.id })
  return { kind: 'in', userId: user.id }
}

async function makeUser(store: Reading, idp: Idp, { email, name }: Pick<IdpPerson, 'email' | 'name'>): Promise<User> {
  const role = idp.role ?? (await store.settings.get()).defaultRole
  // A default that was changed since must not make one of these either.
  const { capabilities = ['*'] } = (await store.roles.byKey(role)) ?? {}
  if (capabilities.includes('*')) throw guarded(idp)
  return store.users.insert({ email, name: name.trim().slice(0, 100), role, enabled: true, managedBy: 'api' })
}

const link = (
  store: Reading,
  { idp, person, userId }: { idp: Idp; person: Pick<IdpPerson, 'issuer' | 'subject'>; userId: string },
): Promise<void> => store.idpLinks.put({ issuer: person.issuer, subject: person.subject, userId, idpId: idp.id })

/** Accounts that hold everything, or that are kept for the day when the provider fails, are nobody's but their holder's. */
async function mustBeAsked(store: Reading, idp: Idp, user: User): Promise<boolean> {
  const role = await store.roles.byKey(user.role)
  return (
    (role?.capabilities.includes('*') ?? true) || user.managedBy === 'system' || idp.breakGlass.includes(user.email)
  )
}

function enabledOr(idp: Idp, user: User | null): User {
  if (user === null || !user.enabled) throw disabled(idp)
  return user
}

/** Behind the last `@`; empty for what is no address. */
export function domainOf(email: string): string {
  const parts = email.split('@')
  return parts.length === 2 && parts[0] !== '' && !/[\s<>",;]/.test(email) ? (parts[1] ?? '') : ''
}
