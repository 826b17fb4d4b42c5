import { checkConfig, settledConfig } from '@gatehouse/rule-sandbox/input'
import type { Problem, VectorResult } from '@gatehouse/rule-sandbox'
import type { ConfigError, JsonObject, PrepareRequest, RuleAction } from '@gatehouse/sdk'
import type { Build, Builds } from './builds.js'
import type { Read } from './bundle.js'
import { checkLimits, readBundle, refuse } from './bundle.js'
import type { PluginConfig } from './config.js'
import { ruleConfig } from './config.js'
import { whatRuns } from './evidence.js'
import type { Prepared } from './shelf.js'

export interface Preparing {
  readonly builds: Builds
  readonly ceilings: PluginConfig['ceilings']
  readonly nextKey: () => number
}

type Wanted = Pick<PrepareRequest, 'config' | 'artifact' | 'action' | 'rule'>

/** A rule made ready, and held by no thread yet. Its build is to be given back. */
export async function prepareRule({ builds, ceilings, nextKey }: Preparing, wanted: Wanted): Promise<Read<Prepared>> {
  const { artifact, action, rule } = wanted
  const parsed = ruleConfig.safeParse(wanted.config)
  if (!parsed.success)
    return refuse(parsed.error.issues[0]?.message ?? 'is not valid', pathOf(parsed.error.issues[0]?.path))
  const { config = {}, limits } = parsed.data
  const bundle = readBundle(artifact, ceilings, limits ?? {})
  if (!bundle.ok || artifact === undefined) return bundle.ok ? refuse('names no module') : bundle
  const { manifest } = bundle.value
  const problems = checkConfig(manifest, config)
  if (problems.length > 0) return { ok: false, errors: problems.map(asConfigError) }
  const build = await builds.get(bundle.value)
  if (!build.ok) return build
  const tooHigh = checkLimits(limits, build.value.module.limits)
  if (tooHigh.length > 0) {
    build.value.release()
    return { ok: false, errors: tooHigh }
  }
  const settled = settledConfig(manifest, config)
  return { ok: true, value: preparedOf(build.value, { settled, artifact, action, rule, key: nextKey() }) }
}

const asConfigError = ({ path = '', message }: Problem): ConfigError => ({ path: `config.${path}`, message })
const pathOf = (path: readonly PropertyKey[] | undefined): string => path?.map(String).join('.') ?? 'module'

interface Parts extends Pick<Wanted, 'rule'> {
  readonly settled: Readonly<Record<string, string>>
  readonly artifact: { readonly name: string; readonly version: number }
  readonly action: RuleAction | null
  readonly key: number
}

function preparedOf(build: Build, { settled, artifact: { name, version }, action, rule, key }: Parts): Prepared {
  const runs = { build, held: { module: build.module, config: settled }, artifact: { name, version } }
  return {
    ...runs,
    key,
    evidence: whatRuns(runs),
    action,
    rule: rule === null ? null : { id: rule.id, name: rule.name },
  }
}

/** What an upload is found to be: built, and held to the vectors of its manifest. Nothing stays. */
export async function tryUpload({ builds, ceilings }: Preparing, { artifact }: Wanted): Promise<Read<JsonObject>> {
  const bundle = readBundle(artifact, ceilings)
  if (!bundle.ok) return bundle
  const tried = await builds.tryOut(bundle.value)
  if (!tried.ok) return tried
  const { module, results } = tried.value
  const failed = results.filter(({ ok }) => !ok)
  if (failed.length > 0) return { ok: false, errors: failed.map(asError) }
  const { facts, limits, language, manifest } = module
  const vectors = results.map(({ name, ran }) => ({ name, fuel: ran.fuel, ms: Math.round(ran.ms * 1_000) / 1_000 }))
  const { capabilities, hooks, stateful } = manifest
  return { ok: true, value: { ...facts, language, limits: { ...limits }, capabilities, hooks, stateful, vectors } }
}

const asError = ({ name, problem }: VectorResult): ConfigError => ({
  path: 'module',
  message: `its vector “${name}”: ${problem ?? 'came otherwise'}`,
})
