import type { Rule } from '../../domain/nouns.js'
import { invalid, within } from '../problems.js'
import type { Work } from '../work.js'
import { draftRule, type RuleInput } from './rules.js'

/** Rules that are only tried: checked like those that are saved, then run as if they were enabled, loud and for real. */
export async function replayedRules(work: Work, gatewayId: string, inputs: readonly RuleInput[]): Promise<Rule[]> {
  const rules: Rule[] = []
  for (const [position, input] of inputs.entries()) {
    const draft = await within(`rules[${position}]`, async () => {
      if (rules.some(({ name }) => name === input.name)) throw invalid('name', `two rules are called '${input.name}'`)
      return draftRule(work, input)
    })
    const unsaved = { id: `draft-${position + 1}`, gatewayId, position, version: 0, createdAt: '', updatedAt: '' }
    rules.push({ ...draft, ...unsaved, enabled: true, shadow: false, alerts: false })
  }
  return rules
}
