import { createRequire } from 'node:module'
import { checkConfig, type RuleConfig, settledConfig } from './config.js'
import { openEnding } from './ending.js'
import type * as Javascript from './javascript/open.js'
import type { OpenRule, RuleModule } from './types.js'
import { openWebAssembly } from './webassembly/open.js'

/**
 * Opens a rule with its configuration. Rejects when the configuration does not fit its manifest, or when no instance of it can be
 * made: what its start does is metered. Close it when it is not needed any more.
 */
export async function openRule(module: RuleModule, config: RuleConfig): Promise<OpenRule> {
  const [problem] = checkConfig(module.manifest, config)
  if (problem !== undefined) throw new Error(`config.${problem.path}: ${problem.message}`)
  return openChecked(module, config)
}

/**
 * The same with a configuration that `checkConfig` has found to fit, for a thread of many: it need not look once more, nor load what that
 * takes.
 */
export async function openChecked(module: RuleModule, config: RuleConfig): Promise<OpenRule> {
  const settled = settledConfig(module.manifest, config)
  return openEnding(() => opener(module)(module, settled))
}

/** Why no instance of it can be made; null when one can. What it has to be configured with is not asked for. */
export async function whyNotOpened(module: RuleModule): Promise<string | null> {
  try {
    const rule = await opener(module)(module, NOTHING)
    rule.close()
    return null
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : 'it cannot be started'
  }
}

const NOTHING: RuleConfig = Object.freeze(Object.create(null) as Record<string, string>)
const opener = ({ language }: RuleModule) =>
  language === 'javascript' ? loadJavascript().openJavascript : openWebAssembly

/** With the first rule that needs it: a thread that runs rules begins often, and in a hurry. */
const loadJavascript = () => createRequire(import.meta.url)('./javascript/open.js') as typeof Javascript
