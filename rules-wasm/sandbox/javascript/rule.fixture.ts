import { createHash } from 'node:crypto'
import { RuleManifest, type RuleInput } from '@gatehouse/sdk/rule-abi'
import { buildRule } from '../build.js'
import { encodeInput, inputOf } from '../input.js'
import { openRule } from '../open.js'
import type { Built, OpenRule, Ran, RuleBundle } from '../types.js'

export type Given = Partial<Pick<RuleBundle, 'grants' | 'ceilings'>> & {
  readonly manifest?: Readonly<Record<string, unknown>>
  readonly config?: Readonly<Record<string, string>>
}

export function bundleOf(
  source: string | Uint8Array,
  { manifest = {}, grants = {}, ceilings }: Given = {},
): RuleBundle {
  const bytes = Buffer.from(source)
  return {
    bytes,
    grants,
    ...(ceilings && { ceilings }),
    manifest: RuleManifest.parse({
      name: 'tried',
      version: '1.0.0',
      abi: 'gatehouse.rule/1',
      language: 'javascript',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      ...manifest,
    }),
  }
}

export function buildOf(source: string | Uint8Array, given: Given = {}): Promise<Built> {
  return buildRule(bundleOf(source, given))
}

/** A rule of this source, open. */
export async function openOf(source: string, given: Given = {}): Promise<OpenRule> {
  const built = await buildOf(source, given)
  if (!built.ok) throw new Error(built.problems.map(({ message }) => message).join('; '))
  return openRule(built.module, given.config ?? {})
}

export interface Shown {
  readonly message?: Readonly<Record<string, unknown>>
  readonly call?: Readonly<Record<string, unknown>>
  readonly kv?: ReadonlyMap<string, string> | null
}

export function runWith(rule: OpenRule, { message = {}, call = {}, kv = null }: Shown = {}): Promise<Ran> {
  const input: RuleInput = inputOf({ leg: 'request', message, call })
  return rule.run({ input: encodeInput(input, ['message', 'texts']), kv })
}

/** Runs a source once. */
export async function runOnce(source: string, given: Given & Shown = {}): Promise<Ran> {
  const rule = await openOf(source, given)
  return runWith(rule, given)
}

/** A rule whose `evaluate` has this body. */
export const body = (text: string): string => `export function evaluate(input) { ${text} }`
