import { RULE_STRIKES } from '@gatehouse/sdk/rule-abi'
import type { Prepared } from './shelf.js'

/** Rules that have cost a thread lately: they may cost another one, and must not cost others their turn. */
export interface Risks {
  note(rule: Prepared): void
  holds(rule: Prepared): boolean
}

export function createRisks(now: () => number): Risks {
  const ended = new WeakMap<Prepared, number>()
  return {
    note: (rule) => void ended.set(rule, now()),
    holds(rule) {
      const at = ended.get(rule)
      return at !== undefined && now() - at < RULE_STRIKES.withinMs
    },
  }
}
