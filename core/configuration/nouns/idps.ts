import type { z } from 'zod'
import type { Idp } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import { invalid } from '../problems.js'
import type { Idp as IdpSchema } from '../schemas.js'
import { keepSecrets, readSecrets } from '../secrets.js'
import { conflict, forField, managerAfter, mustBeFree, mustBeMine, mustCover, mustExist, mustRefer } from '../work.js'
import type { Work } from '../work.js'
import { keysOf, mustNotFollow, present, putTogether, takeApart } from './plugin-keys.js'

export type IdpInput = z.output<typeof IdpSchema>

/** An identity provider as the file says it; what is not named here is its plugin's configuration, secrets with it. */
export interface IdpState {
  readonly title: string
  readonly plugin: string
  readonly domains: readonly string[]
  readonly role: string | null
  readonly groups: Readonly<Record<string, string>>
  readonly button: boolean
  readonly required: boolean
  readonly breakGlass: readonly string[]
  readonly trustDomainVerifiedEmail: boolean
  readonly trustAssertions: boolean
  readonly enabled: boolean
  readonly [key: string]: unknown
}

export const idpDefaults = (slug: string) => ({
  title: slug,
  domains: [],
  role: null,
  groups: {},
  button: true,
  required: false,
  breakGlass: [],
  trustDomainVerifiedEmail: false,
  trustAssertions: false,
  enabled: true,
})

export async function createIdp(work: Work, slug: string, input: IdpInput): Promise<Idp> {
  await mustBeFree(work.store.idps, 'identity provider', slug)
  const state = await settled(work, { ...idpDefaults(slug), ...present(input), plugin: input.plugin }, null)
  await mustReach(work, null, state.domains)
  const idp = await work.store.idps.insert({ slug, ...columns(work, state), managedBy: work.actor.managedBy })
  await keepSecrets(work.store, { kind: 'idp', id: idp.id }, 'config', apart(work, state).sealed)
  return idp
}

/** Keys that are null are taken away or take their default. */
export async function updateIdp(work: Work, reference: string, input: Partial<IdpInput>): Promise<Idp> {
  const stored = await mustExist(work.store.idps, 'identity provider', reference)
  mustBeMine(work, 'identity provider', stored.slug, stored)
  const before = await idpState(work, stored)
  if (input.plugin !== undefined && input.plugin !== before.plugin)
    throw invalid('plugin', 'an identity provider stays with its plugin; make another one')
  const merged = Object.entries({ ...before, ...present(input) }).filter(([, value]) => value !== null)
  const wanted = { ...idpDefaults(stored.slug), ...Object.fromEntries(merged), plugin: stored.plugin }
  mustNotFollow(before, wanted, { addresses: ['issuer'], secrets: keysOf(stored.secrets), given: input })
  const state = await settled(work, wanted, stored.id)
  await mustReach(work, stored.id, [...before.domains, ...state.domains])
  await keepSecrets(work.store, { kind: 'idp', id: stored.id }, 'config', apart(work, state).sealed)
  if (!state.enabled) await work.store.idpLinks.endSessions(stored.id)
  return work.store.idps.update(stored.id, { ...columns(work, state), ...managerAfter(work, stored) })
}

/** Replaces the whole configuration, as the file does. */
export async function replaceIdp(work: Work, reference: string, state: IdpState): Promise<Idp> {
  const stored = await mustExist(work.store.idps, 'identity provider', reference)
  const gone = [...Object.keys(stored.config), ...stored.secrets].filter((key) => !Object.hasOwn(state, key))
  return updateIdp(work, stored.id, { ...Object.fromEntries(gone.map((key) => [key, null])), ...state } as IdpInput)
}

/** Whom it signed in is signed out; the people stay, without a way to come from there. */
export async function removeIdp(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.idps, 'identity provider', reference)
  mustBeMine(work, 'identity provider', stored.slug, stored)
  await mustReach(work, stored.id, stored.domains)
  await work.store.idpLinks.endSessions(stored.id)
  await work.store.secrets.remove({ kind: 'idp', id: stored.id })
  await work.store.idps.remove(stored.id)
}

/** The person stays, without a way to come from there, and is signed out; the next sign-in begins as the first one did. */
export async function untiePerson(work: Work, reference: string, person: string): Promise<void> {
  const idp = await mustExist(work.store.idps, 'identity provider', reference)
  const user = await mustExist(work.store.users, 'user', person)
  const role = await work.store.roles.byKey(user.role)
  mustCover(work, role?.capabilities ?? ['*'], `'${user.email}'`)
  if (!(await work.store.idpLinks.untie(user.id, idp.id)))
    throw new GatehouseError('GH_API_NOT_FOUND', { message: `'${user.email}' is not tied to '${idp.slug}'` })
}

/** With its secrets: never to be shown. */
export async function idpState({ store }: Pick<Work, 'store'>, idp: Idp): Promise<IdpState> {
  const { config, title, plugin, domains, role, groups, button, required, breakGlass, enabled } = idp
  const { trustDomainVerifiedEmail, trustAssertions } = idp
  const trust = { trustDomainVerifiedEmail, trustAssertions }
  const secrets = await readSecrets(store, { kind: 'idp', id: idp.id }, 'config')
  return {
    ...putTogether(config, secrets),
    title,
    plugin,
    domains,
    role,
    groups,
    button,
    required,
    breakGlass,
    ...trust,
    enabled,
  }
}

/** What the plugin is to be told: its own keys with their secrets. */
export async function idpConfig({ store }: Pick<Work, 'store'>, idp: Idp): Promise<Readonly<Record<string, unknown>>> {
  return putTogether(idp.config, await readSecrets(store, { kind: 'idp', id: idp.id }, 'config'))
}

async function settled(work: Work, state: IdpState, id: string | null): Promise<IdpState> {
  const role = state.role === null ? null : await mustRefer(work.store.roles, 'role', state.role)
  const { defaultRole } = await work.store.settings.get()
  // Whoever comes for the first time gets it.
  const given = role ?? (await work.store.roles.byKey(defaultRole))
  mustCover(work, given?.capabilities ?? ['*'], `the role '${given?.slug ?? defaultRole}'`)
  if (role?.capabilities.includes('*')) throw invalid('role', 'no identity provider makes super admins')
  const groups: Record<string, string> = {}
  for (const [group, team] of Object.entries(state.groups))
    groups[group] = (await mustRefer(work.store.teams, `groups.${group}`, team)).slug
  const domains = unique(state.domains)
  await mustBeAlone(work, domains, id)
  await check(work, state)
  return { ...state, role: role?.slug ?? null, groups, domains, breakGlass: unique(state.breakGlass) }
}

/** Two providers of one domain could each take over the people of the other. */
async function mustBeAlone({ store }: Work, domains: readonly string[], id: string | null): Promise<void> {
  const others = (await store.idps.all()).filter((idp) => idp.id !== id)
  for (const [index, domain] of domains.entries()) {
    const owner = others.find((idp) => idp.domains.includes(domain))
    if (owner) throw conflict(`domains: ${domain} belongs to '${owner.slug}'`, `domains[${index}]`)
  }
}

/** Whoever says how people are recognised could be any of them, so must hold what each of them holds. */
async function mustReach(work: Work, id: string | null, domains: readonly string[]): Promise<void> {
  for (const { role, linked } of await work.store.idpLinks.reach(id, domains)) {
    const capabilities = (await work.store.roles.byKey(role))?.capabilities ?? ['*']
    // A super admin is never linked without asking (see the sign-in), so is out of reach until that was done.
    if (linked || !capabilities.includes('*')) mustCover(work, capabilities, `a person whom it signs in ('${role}')`)
  }
}

async function check({ checks }: Work, state: IdpState): Promise<void> {
  const known = checks.idps()
  if (!known.includes(state.plugin))
    throw invalid('plugin', `'${state.plugin}' is not loaded; known are ${known.join(', ') || 'none'}`)
  const [error] = await checks.checkIdp(state.plugin, ownKeys(state))
  if (error) throw invalid(error.path ?? '', error.message)
  const { issuer } = state
  if (typeof issuer === 'string') await forField('issuer', () => checks.checkUrl(issuer))
}

/** What belongs to the plugin. */
function ownKeys(state: IdpState): Record<string, unknown> {
  const ours = new Set([...Object.keys(idpDefaults('')), 'plugin'])
  return Object.fromEntries(Object.entries(state).filter(([key]) => !ours.has(key)))
}

const apart = ({ checks }: Pick<Work, 'checks'>, state: IdpState) =>
  takeApart(ownKeys(state), checks.idpSecrets(state.plugin))

function columns(work: Pick<Work, 'checks'>, state: IdpState) {
  const { plain: config, sealed } = apart(work, state)
  const secrets = Object.keys(sealed)
  const { title, plugin, domains, role, groups, button, required, breakGlass, enabled } = state
  const { trustDomainVerifiedEmail, trustAssertions } = state
  const trust = { trustDomainVerifiedEmail, trustAssertions }
  return { title, plugin, config, secrets, domains, role, groups, button, required, breakGlass, ...trust, enabled }
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)].toSorted()
