import type { z } from 'zod'
import type { AlertTarget } from '../../domain/nouns.js'
import { invalid } from '../problems.js'
import type { AlertTarget as AlertTargetSchema } from '../schemas.js'
import { keepSecrets, readSecrets } from '../secrets.js'
import { forField, managerAfter, mustBeFree, mustBeMine, mustExist, mustRefer } from '../work.js'
import type { Work } from '../work.js'
import { addressKeys, keysOf, mustNotFollow, present, putTogether, takeApart } from './plugin-keys.js'

export type AlertTargetInput = z.output<typeof AlertTargetSchema>

/** A target as the file says it; what is not named here is its plugin's configuration, secrets with it. */
export interface AlertTargetState {
  readonly plugin: string
  readonly minSeverity: AlertTarget['minSeverity']
  readonly types: AlertTarget['types']
  /** Slugs. */
  readonly gateways: readonly string[]
  readonly enabled: boolean
  readonly [key: string]: unknown
}

export const ALERT_TARGET_DEFAULTS = Object.freeze({
  minSeverity: 'info',
  types: [],
  gateways: [],
  enabled: true,
} as const)
const OURS = ['plugin', ...Object.keys(ALERT_TARGET_DEFAULTS)]
/** What the API adds; a plugin's own keys may not be called so. */
const RESERVED = ['id', 'slug', 'secrets', 'delivery', 'managedBy', 'createdAt', 'updatedAt']
const NOUN = 'alert target'

export async function createAlertTarget(work: Work, slug: string, input: AlertTargetInput): Promise<AlertTarget> {
  await mustBeFree(work.store.alertTargets, NOUN, slug)
  const state = { ...ALERT_TARGET_DEFAULTS, ...present(input), plugin: input.plugin } as AlertTargetState
  const { columns, secrets } = await settled(work, state)
  const target = await work.store.alertTargets.insert({ slug, ...columns, managedBy: work.actor.managedBy })
  await keepSecrets(work.store, ownerOf(target), GROUP, secrets)
  return target
}

/** Keys that are null are taken away or take their default. */
export async function updateAlertTarget(
  work: Work,
  reference: string,
  input: Partial<AlertTargetInput>,
): Promise<AlertTarget> {
  const stored = await mustExist(work.store.alertTargets, NOUN, reference)
  mustBeMine(work, NOUN, stored.slug, stored)
  const before = await alertTargetState(work, stored)
  if (input.plugin !== undefined && input.plugin !== before.plugin)
    throw invalid('plugin', 'an alert target stays with its plugin; make another one')
  const merged = Object.entries({ ...before, ...present(input) }).filter(([, value]) => value !== null)
  const state = { ...ALERT_TARGET_DEFAULTS, ...Object.fromEntries(merged), plugin: stored.plugin } as AlertTargetState
  const addresses = [...new Set([...addressKeys(before), ...addressKeys(state), 'host', 'port'])]
  mustNotFollow(before, state, { addresses, secrets: keysOf(stored.secrets), given: input })
  const { columns, secrets } = await settled(work, state)
  await keepSecrets(work.store, ownerOf(stored), GROUP, secrets)
  return work.store.alertTargets.update(stored.id, { ...columns, ...managerAfter(work, stored) })
}

/** Replaces the whole configuration, as the file does. */
export async function replaceAlertTarget(work: Work, reference: string, state: AlertTargetState): Promise<AlertTarget> {
  const stored = await mustExist(work.store.alertTargets, NOUN, reference)
  const there = [...Object.keys(stored.config), ...keysOf(stored.secrets)]
  const gone = there.filter((key) => !Object.hasOwn(state, key))
  const patch = { ...Object.fromEntries(gone.map((key) => [key, null])), ...state }
  return updateAlertTarget(work, stored.id, patch as unknown as AlertTargetInput)
}

/** What waits for it is told to nobody. */
export async function removeAlertTarget(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.alertTargets, NOUN, reference)
  mustBeMine(work, NOUN, stored.slug, stored)
  await work.store.secrets.remove(ownerOf(stored))
  await work.store.alertTargets.remove(stored.id)
}

/** With its secrets: never to be shown. */
export async function alertTargetState({ store }: Pick<Work, 'store'>, target: AlertTarget): Promise<AlertTargetState> {
  const { plugin, minSeverity, types, enabled } = target
  const gateways = await gatewaySlugs(store, target)
  return { ...(await alertTargetConfig({ store }, target)), plugin, minSeverity, types, gateways, enabled }
}

/** What the plugin is to be told: its own keys with their secrets. */
export async function alertTargetConfig(
  { store }: Pick<Work, 'store'>,
  target: AlertTarget,
): Promise<Readonly<Record<string, unknown>>> {
  return putTogether(target.config, await readSecrets(store, ownerOf(target), GROUP))
}

export async function gatewaySlugs(store: Work['store'], { gatewayIds }: AlertTarget): Promise<string[]> {
  if (gatewayIds.length === 0) return []
  const gateways = await store.gateways.all()
  return gatewayIds.map((id) => gateways.find((gateway) => gateway.id === id)?.slug ?? id).toSorted()
}

const GROUP = 'config'
const ownerOf = ({ id }: Pick<AlertTarget, 'id'>) => ({ kind: 'alertTarget', id }) as const

async function settled({ store, checks }: Work, state: AlertTargetState) {
  const { plugin, minSeverity, enabled } = state
  const gatewayIds: string[] = []
  for (const [at, slug] of state.gateways.entries())
    gatewayIds.push((await mustRefer(store.gateways, `gateways[${at}]`, slug)).id)
  const config = Object.fromEntries(Object.entries(state).filter(([key]) => !OURS.includes(key)))
  await check(checks, plugin, config)
  const { plain, sealed } = takeApart(config, checks.alertTargets.secrets(plugin))
  const types = [...new Set(state.types)].toSorted()
  const secrets = Object.keys(sealed).toSorted()
  return { columns: { plugin, config: plain, secrets, minSeverity, types, gatewayIds, enabled }, secrets: sealed }
}

async function check(
  { alertTargets, checkUrl }: Work['checks'],
  plugin: string,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  const known = alertTargets.loaded()
  if (!known.includes(plugin))
    throw invalid('plugin', `'${plugin}' is not loaded; known are ${known.join(', ') || 'none'}`)
  const reserved = RESERVED.find((key) => Object.hasOwn(config, key))
  if (reserved !== undefined) throw invalid(reserved, 'is set by the gateway')
  const [error] = await alertTargets.check(plugin, config)
  if (error) throw invalid(error.path ?? '', error.message)
  for (const key of addressKeys(config)) {
    const url = config[key]
    if (typeof url === 'string') await forField(key, () => checkUrl(url))
  }
}
