import { checkConfig, type RuleConfig, settledConfig } from './config.js'
import { openJavascript } from './javascript/open.js'
import type { OpenRule, RuleModule } from './types.js'
import { openWebAssembly } from './webassembly/open.js'

/**
 * Opens a rule with its configuration. Rejects when the configuration does not fit its manifest, or when no instance of it can be
 * made: what its start does is metered. Close it when it is not needed any more.
 */
export async function openRule(module: RuleModule, config: RuleConfig): Promise<OpenRule> {
  const [problem] = checkConfig(module.manifest, config)
  if (problem !== undefined) throw new Error(`config.${problem.path}: ${problem.message}`)
  const open = module.language === 'javascript' ? openJavascript : openWebAssembly
  return open(module, settledConfig(module.manifest, config))
}
