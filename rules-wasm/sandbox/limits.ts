import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'
import type { Limits, RuleBundle } from './types.js'

/** The least of what the manifest asks for, the operator's ceilings, and the limits of all rules; more of three of them by grant. */
export function settleLimits({ manifest, grants, ceilings = {} }: Omit<RuleBundle, 'bytes'>): Limits {
  const asked = manifest.limits
  const least = (key: keyof Limits & keyof typeof asked, most: number): number =>
    Math.min(most, ceilings[key] ?? most, asked[key] ?? most)
  const pages = Math.max(RULE_LIMITS.memoryPages, grants.memoryPages ?? 0)
  const bytes = Math.max(RULE_LIMITS.moduleBytes, grants.moduleBytes ?? 0)
  const killMs = least('killMs', RULE_LIMITS.killMs)
  return {
    moduleBytes: Math.min(bytes, ceilings.moduleBytes ?? bytes),
    inputBytes: least('inputBytes', RULE_LIMITS.inputBytes),
    outputBytes: least('outputBytes', RULE_LIMITS.outputBytes),
    memoryPages: least('memoryPages', pages),
    fuel: least('fuel', Math.max(RULE_LIMITS.fuel, grants.fuel ?? 0)),
    deadlineMs: Math.min(least('deadlineMs', RULE_LIMITS.deadlineMs), killMs),
    killMs,
  }
}
