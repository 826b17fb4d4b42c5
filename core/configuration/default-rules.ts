import { z } from 'zod'
import { asGatehouseError } from '../errors.js'
import { readYaml } from './file.js'
import { draftRule } from './nouns/rules.js'
import type { RuleDraft } from './nouns/rules.js'
import type { PluginSource } from './plugins.js'
import { problemsOf } from './problems.js'
import { fileShape } from './schemas.js'
import type { RuleInput } from './schemas.js'
import type { Work } from './work.js'

const Lists = z.looseObject({ defaultRules: fileShape.defaultRules })

/**
 * The rules that a gateway has which is made without any, by the files: the defaults that are shipped, then the operator's. The last
 * that names the key wins whole, so that an empty list means none. The files' other keys are not looked at.
 */
export function readDefaultRules(sources: readonly PluginSource[]): readonly RuleInput[] {
  let rules: readonly RuleInput[] = []
  for (const { text, name } of sources) {
    const { value, fault } = readYaml(text, name)
    const parsed = Lists.safeParse(value)
    if (!parsed.success) throw fault(problemsOf(parsed.error.issues))
    rules = parsed.data.defaultRules ?? rules
  }
  return rules
}

/** As rules for a new gateway. What does not fit, since its engine is not loaded, say, is left out and told. */
export async function draftDefaultRules(work: Work): Promise<RuleDraft[]> {
  const { rules, onSkipped } = work.checks.defaultRules
  const drafts: RuleDraft[] = []
  for (const input of rules) {
    try {
      drafts.push(await draftRule(work, input))
    } catch (thrown) {
      const { code, message } = asGatehouseError(thrown)
      if (code !== 'GH_API_INVALID') throw thrown
      onSkipped(input.name, message)
    }
  }
  return drafts
}
