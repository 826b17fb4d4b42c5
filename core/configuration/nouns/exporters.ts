import type { z } from 'zod'
import type { Exporter } from '../../domain/nouns.js'
import { invalid } from '../problems.js'
import type { Exporter as ExporterSchema } from '../schemas.js'
import { keepSecrets, readSecrets } from '../secrets.js'
import type { Values } from '../secrets.js'
import { forField, managerAfter, mustBeFree, mustBeMine, mustExist } from '../work.js'
import type { Work } from '../work.js'
import { mustNotFollow, present } from './plugin-keys.js'

export type ExporterInput = z.output<typeof ExporterSchema>

/** An exporter as the file says it; what is not named here is its plugin's configuration. */
export interface ExporterState {
  readonly plugin: string
  readonly headers: Values
  readonly enabled: boolean
  readonly [key: string]: unknown
}

export async function createExporter(work: Work, slug: string, input: ExporterInput): Promise<Exporter> {
  await mustBeFree(work.store.exporters, 'exporter', slug)
  const state: ExporterState = { ...input, headers: input.headers ?? {}, enabled: input.enabled ?? true }
  await check(work, state)
  const { managedBy } = work.actor
  const exporter = await work.store.exporters.insert({ slug, ...columns(state), managedBy })
  await keepSecrets(work.store, { kind: 'exporter', id: exporter.id }, 'headers', state.headers)
  return exporter
}

/** Keys that are null are taken away; headers are replaced whole. */
export async function updateExporter(work: Work, reference: string, input: Partial<ExporterInput>): Promise<Exporter> {
  const stored = await mustExist(work.store.exporters, 'exporter', reference)
  mustBeMine(work, 'exporter', stored.slug, stored)
  const before = await exporterState(work, stored)
  if (input.plugin !== undefined && input.plugin !== before.plugin)
    throw invalid('plugin', 'an exporter stays with its plugin; make another one')
  const merged = { ...before, ...present(input) }
  const state = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)) as ExporterState
  const secrets = Object.keys(before.headers).length > 0 ? ['headers'] : []
  mustNotFollow(before, state, { addresses: ['url'], secrets, given: input })
  await check(work, state)
  const owner = { kind: 'exporter', id: stored.id } as const
  await keepSecrets(work.store, owner, 'headers', state.headers)
  return work.store.exporters.update(stored.id, { ...columns(state), ...managerAfter(work, stored) })
}

/** Replaces the whole configuration, as the file does. */
export async function replaceExporter(work: Work, reference: string, state: ExporterState): Promise<Exporter> {
  const stored = await mustExist(work.store.exporters, 'exporter', reference)
  const gone = Object.keys(stored.config).filter((key) => !Object.hasOwn(state, key))
  const patch = { ...Object.fromEntries(gone.map((key) => [key, null])), ...state }
  return updateExporter(work, stored.id, patch)
}

export async function removeExporter(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.exporters, 'exporter', reference)
  mustBeMine(work, 'exporter', stored.slug, stored)
  await work.store.secrets.remove({ kind: 'exporter', id: stored.id })
  await work.store.exporters.remove(stored.id)
}

/** With its secrets: never to be shown. */
export async function exporterState({ store }: Pick<Work, 'store'>, exporter: Exporter): Promise<ExporterState> {
  const headers = await readSecrets(store, { kind: 'exporter', id: exporter.id }, 'headers')
  return { ...exporter.config, plugin: exporter.plugin, headers, enabled: exporter.enabled }
}

function columns(state: ExporterState) {
  const { plugin, headers, enabled, ...config } = state
  return { plugin, config, secrets: Object.keys(headers).length > 0 ? ['headers'] : [], enabled }
}

async function check({ checks }: Work, state: ExporterState): Promise<void> {
  const known = checks.exporters()
  if (!known.includes(state.plugin))
    throw invalid('plugin', `'${state.plugin}' is not loaded; known are ${known.join(', ') || 'none'}`)
  const { plugin, headers, enabled: _, ...rest } = state
  const unsealed = checks.exporterSecrets(plugin).find((key) => Object.hasOwn(rest, key))
  if (unsealed !== undefined) throw invalid(unsealed, 'secrets other than headers are not in this version')
  const config = Object.keys(headers).length > 0 ? { ...rest, headers } : rest
  const [error] = await checks.checkExporter(plugin, config)
  if (error) throw invalid(error.path ?? '', error.message)
  const { url } = rest
  if (typeof url === 'string') await forField('url', () => checks.checkUrl(url))
}
