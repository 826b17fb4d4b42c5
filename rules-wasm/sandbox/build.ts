import { createHash } from 'node:crypto'
import { buildJavascript } from './javascript/build.js'
import { settleLimits } from './limits.js'
import { checkPatterns } from './patterns.js'
import type { Built, Limits, Problem, RuleBundle } from './types.js'
import { buildWebAssembly } from './webassembly/build.js'

/**
 * Makes of a module and its manifest what can be run: checks its size, digest and patterns, then vets, meters and compiles it. It runs
 * nothing of it, save JavaScript's top level. Never throws for what they are; each problem says what to do. Takes up to a quarter of a second for a megabyte.
 */
export async function buildRule(bundle: RuleBundle): Promise<Built> {
  const limits = settleLimits(bundle)
  const problems = checkBundle(bundle, limits)
  if (problems.length > 0) return { ok: false, problems }
  const isJavascript = bundle.manifest.language === 'javascript'
  return isJavascript ? buildJavascript(bundle, limits) : buildWebAssembly(bundle, limits)
}

function checkBundle({ bytes, manifest, grants }: RuleBundle, limits: Limits): readonly Problem[] {
  if (bytes.length > limits.moduleBytes) return [{ message: tooLarge(bytes.length, limits.moduleBytes) }]
  const problems: Problem[] = []
  if (createHash('sha256').update(bytes).digest('hex') !== manifest.sha256)
    problems.push({
      path: 'sha256',
      message: 'is not the SHA-256 of this module: build the manifest anew with the module',
    })
  if (manifest.capabilities.includes('kv') && !manifest.stateful)
    problems.push({ path: 'stateful', message: 'must be true for a rule with the capability "kv"' })
  if (manifest.wasiStub && grants.wasiStub !== true)
    problems.push({
      path: 'wasiStub',
      message: 'must be granted: allow "wasiStub" for this module, or build without WASI',
    })
  return [...problems, ...checkPatterns(manifest)]
}

const tooLarge = (size: number, most: number): string =>
  `has ${size} bytes, more than ${most}: make it smaller, or grant "moduleBytes"`
