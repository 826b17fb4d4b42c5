import { isDeepStrictEqual } from 'node:util'
import { closest, parseStrictly } from '@gatehouse/sdk'
import type { z } from 'zod'
import type { EngineKind, OpenedEngine } from '../../domain/engines.js'
import type { Engine, Gateway, Rule } from '../../domain/nouns.js'
import type { GatehouseError } from '../../errors.js'
import { invalid } from '../problems.js'
import type { Engine as EngineSchema } from '../schemas.js'
import { keepSecrets } from '../secrets.js'
import { conflict, forField, managerAfter, mustBeFree, mustBeMine, mustExist } from '../work.js'
import type { Work } from '../work.js'
import { artifactOfRule } from './artifact-references.js'
import { openEngine } from './open-engine.js'
import { addressKeys, keysOf, mustNotFollow, present, takeApart } from './plugin-keys.js'
import { ruleError } from './rules.js'

export type EngineInput = z.output<typeof EngineSchema>

/** An engine as the file says it; what is not named here is its kind's configuration, secrets with it. */
export interface EngineState {
  readonly kind: string
  readonly [key: string]: unknown
}

/** What the API adds to an engine; a kind's own keys may not be called so. */
const RESERVED = ['id', 'slug', 'version', 'secrets', 'lastTest', 'usedBy', 'managedBy', 'createdAt', 'updatedAt']

/** Paths under `/engines` that are no engine's. */
const ROUTES = new Set(['kinds', 'test'])

export async function createEngine(work: Work, slug: string, input: EngineInput): Promise<Engine> {
  await mustBeFree(work.store.engines, 'engine', slug)
  if (ROUTES.has(slug)) throw invalid('slug', `'${slug}' is a word of the API: give it another name`)
  if (work.checks.engines().some(({ kind }) => kind === slug))
    throw invalid('slug', `'${slug}' is a kind of engine: give it another name, so that rules can tell them apart`)
  const state = present(input) as EngineState
  const { plain, sealed } = await settled(work, state)
  const { managedBy } = work.actor
  const columns = { kind: state.kind, config: plain, secrets: Object.keys(sealed).toSorted() }
  const engine = await work.store.engines.insert({ slug, ...columns, version: 1, lastTest: null, managedBy })
  await keepSecrets(work.store, { kind: 'engine', id: engine.id }, 'config', sealed)
  return engine
}

/** Keys that are null are taken away; a record of secrets is replaced whole. Rules that name it must still fit. */
export async function updateEngine(work: Work, reference: string, input: Partial<EngineInput>): Promise<Engine> {
  const stored = await mustExist(work.store.engines, 'engine', reference)
  mustBeMine(work, 'engine', stored.slug, stored)
  const before = await engineState(work, stored)
  const state = mergeEngine(before, input)
  mustNotTake(before, state, { input, secrets: secretKeys(work, stored) })
  const { plain, sealed } = await settled(work, state)
  if (isDeepStrictEqual(before, state)) return work.store.engines.update(stored.id, managerAfter(work, stored))
  await keepSecrets(work.store, { kind: 'engine', id: stored.id }, 'config', sealed)
  const engine = await work.store.engines.update(stored.id, {
    config: plain,
    secrets: Object.keys(sealed).toSorted(),
    version: stored.version + 1,
    ...managerAfter(work, stored),
  })
  await mustFitRules(work, await openEngine(work.store, engine))
  return engine
}

/** Replaces the whole configuration, as the file does. */
export async function replaceEngine(work: Work, reference: string, state: EngineState): Promise<Engine> {
  const stored = await mustExist(work.store.engines, 'engine', reference)
  const gone = Object.keys(await engineState(work, stored)).filter((key) => !Object.hasOwn(state, key))
  return updateEngine(work, stored.id, { ...Object.fromEntries(gone.map((key) => [key, null])), ...state })
}

/** Rules that name it stand in the way: they would block everything. */
export async function removeEngine(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.engines, 'engine', reference)
  mustBeMine(work, 'engine', stored.slug, stored)
  const users = usersOf(await work.store.gateways.all(), stored)
  if (users.length > 0) throw conflict(`engine '${stored.slug}' is still used by ${namesOf(users)}`)
  await work.store.secrets.remove({ kind: 'engine', id: stored.id })
  await work.store.engines.remove(stored.id)
}

/** A rule that names an engine. */
export interface EngineUser {
  readonly gateway: Gateway
  readonly rule: Rule
}
export const usersOf = (gateways: readonly Gateway[], { slug }: Pick<Engine, 'slug'>): EngineUser[] =>
  gateways.flatMap((gateway) => gateway.rules.filter((rule) => rule.engine === slug).map((rule) => ({ gateway, rule })))

const MOST_NAMES = 20
function namesOf(users: readonly EngineUser[]): string {
  const names = users.slice(0, MOST_NAMES).map(({ gateway, rule }) => `'${rule.name}' of gateway ${gateway.slug}`)
  const more = users.length - names.length
  return `${users.length === 1 ? 'the rule' : 'the rules'} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** With its secrets: never to be shown. */
export async function engineState(work: Pick<Work, 'store'>, engine: Engine): Promise<EngineState> {
  const { config, kind } = await openEngine(work.store, engine)
  return { ...config, kind }
}

/** What is there with what is given in its place; null takes a key away. The kind stays. */
export function mergeEngine(before: EngineState, input: Partial<EngineInput>): EngineState {
  if (input.kind !== undefined && input.kind !== before.kind)
    throw invalid('kind', 'an engine stays of its kind; make another one')
  const merged = Object.entries({ ...before, ...present(input) }).filter(([, value]) => value !== null)
  return { ...Object.fromEntries(merged), kind: before.kind }
}

/** A stored secret is kept only for the place that it was given for. */
export function mustNotTake(
  before: EngineState,
  after: EngineState,
  { input, secrets }: { readonly input: Partial<EngineInput>; readonly secrets: readonly string[] },
): void {
  const addresses = [...new Set([...addressKeys(before), ...addressKeys(after)])]
  mustNotFollow(before, after, { addresses, secrets, given: input })
}

/** Top-level keys that hold something sealed. */
export function secretKeys({ checks }: Pick<Work, 'checks'>, { kind, secrets }: Engine): string[] {
  const declared = checks.engines().find((each) => each.kind === kind)?.instance?.secret ?? []
  return [...new Set([...declared, ...keysOf(secrets)])]
}

/** Checked as its kind wants it, and every address by what this gateway may call. */
export async function settled(work: Pick<Work, 'checks'>, state: EngineState) {
  const { kind, ...keys } = state
  const reserved = RESERVED.find((key) => Object.hasOwn(keys, key))
  if (reserved !== undefined) throw invalid(reserved, 'is set by the gateway')
  const { schema, secret } = instanceOf(kind, work.checks.engines())
  const parsed = parseStrictly(schema, keys)
  const error = parsed.ok ? undefined : parsed.errors[0]
  if (error) throw invalid(error.path ?? '', error.message)
  for (const key of addressKeys(keys)) {
    const url = keys[key]
    if (typeof url === 'string') await forField(key, () => work.checks.checkUrl(url))
  }
  return takeApart(keys, secret)
}

function instanceOf(kind: string, kinds: readonly EngineKind[]) {
  const found = kinds.find((each) => each.kind === kind)
  if (found?.instance) return found.instance
  if (found) throw invalid('kind', `${kind} needs no named engine: rules say 'engine: ${kind}'`)
  throw unknownKind(
    kind,
    kinds.flatMap((each) => (each.instance === null ? [] : [each.kind])),
  )
}

export function unknownKind(kind: string, known: readonly string[]): GatehouseError {
  const meant = closest(kind, known)
  const hint = meant === undefined ? `loaded are ${known.join(', ') || 'none'}` : `did you mean ${meant}?`
  return invalid('kind', `no kind of engine '${kind}' is loaded; ${hint}`)
}

async function mustFitRules(work: Work, engine: OpenedEngine): Promise<void> {
  for (const { gateway, rule } of usersOf(await work.store.gateways.all(), { slug: engine.name })) {
    const kind = work.checks.engines().find((each) => each.kind === engine.kind)
    const artifact = kind === undefined ? null : await artifactOfRule(work.store, kind, rule.config)
    const error = await ruleError(work, rule, { instance: engine, artifact })
    if (error) throw conflict(`rule '${rule.name}' of gateway ${gateway.slug} would not fit any more: ${error.message}`)
  }
}
