import { createHash } from 'node:crypto'
import { METER_VERSION } from '@gatehouse/rule-vet'
import { settledConfig } from '../config.js'
import { RuleFault } from '../fault.js'
import { meterOf } from '../patterns.js'
import type { Built, Limits, Problem, RuleBundle, RuleModule } from '../types.js'
import { ENGINE_VERSION, loadEngine } from './engine.js'
import { openJavascript } from './open.js'

/** Of the input, unless the manifest asks for more; and what it may ask for. JSON is slow there. */
export const JAVASCRIPT_INPUT = Object.freeze({ bytes: 16_384, mostBytes: 65_536 })

/** The interpreter itself does not begin with less. */
const LEAST_PAGES = 2

/** What loading may use of fuel when a rule is built, and for each byte of its source: that is done where the gateway's calls go by. */
const LOADING = Object.freeze({ fuel: 1_000_000, fuelPerByte: 20 })

/**
 * Makes a rule out of a source in JavaScript. The caller has checked its size, its hash and its manifest. The source is compiled, and run
 * once with the configuration of its first vector, or its defaults; where that leaves a key without a value, only what cannot be compiled is
 * a problem.
 */
export async function buildJavascript(bundle: RuleBundle, limits: Limits): Promise<Built> {
  const { bytes, manifest } = bundle
  const source = sourceOf(bytes)
  if (typeof source !== 'string') return { ok: false, problems: [source] }
  if (manifest.wasiStub)
    return { ok: false, problems: [{ path: 'wasiStub', message: 'is not for JavaScript: leave it out' }] }
  const module: RuleModule = {
    language: 'javascript',
    manifest,
    limits: limitsOf(bundle, limits),
    wasiStub: false,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    code: source,
    engine: await loadEngine(),
    facts: { bytes: bytes.length, meter: meterOf(manifest, METER_VERSION, ENGINE_VERSION) },
  }
  if (module.limits.memoryPages < LEAST_PAGES)
    return {
      ok: false,
      problems: [{ path: 'limits.memoryPages', message: `must be ${LEAST_PAGES} or more for JavaScript` }],
    }
  const fuel = Math.min(module.limits.fuel, LOADING.fuel + LOADING.fuelPerByte * bytes.length)
  const problems = await tryLoading({ ...module, limits: { ...module.limits, fuel } })
  return problems.length > 0 ? { ok: false, problems } : { ok: true, module }
}

function sourceOf(bytes: Uint8Array): string | Problem {
  if (bytes.includes(0)) return { message: 'holds a NUL: is it JavaScript?', offset: bytes.indexOf(0) }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { message: 'is no UTF-8: save the source as UTF-8' }
  }
}

function limitsOf({ manifest }: RuleBundle, limits: Limits): Limits {
  const asked = manifest.limits.inputBytes ?? JAVASCRIPT_INPUT.bytes
  return { ...limits, inputBytes: Math.min(asked, limits.inputBytes, JAVASCRIPT_INPUT.mostBytes) }
}

async function tryLoading(module: RuleModule): Promise<Problem[]> {
  const { manifest } = module
  const config = settledConfig(manifest, manifest.vectors[0]?.config ?? {})
  const isWhole = Object.keys(manifest.config).every((key) => config[key] !== undefined)
  try {
    const rule = await openJavascript(module, config)
    rule.close()
    return []
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error
    if (!isWhole && !error.message.includes('SyntaxError')) return []
    return [{ message: `cannot be loaded: it ${error.message}` }]
  }
}
