import { RULE_STRIKES } from '@gatehouse/sdk/rule-abi'
import type { Prepared } from './shelf.js'

/** Rules that have cost a thread lately: they may cost another one, and must not cost others their turn. */
export interface Risk {
  note(rule: Prepared): void
  holds(rule: Prepared): boolean
}

/**
 * What is known of the messages of each: one person, or connection, whose messages alone have cost threads is waited for alone, so that
 * nobody slows a rule down for others by what they send. A rule that several have ended threads with is a risk with everyone.
 */
export interface Risks {
  of(principal: string | null): Risk
}

/** So many of them show that it is the rule. */
const SEVERAL = 2

export function createRisks(now: () => number): Risks {
  const ended = new WeakMap<Prepared, ReadonlyMap<string | null, number>>()
  const lately = (rule: Prepared) => [...(ended.get(rule) ?? [])].filter(([, at]) => now() - at < RULE_STRIKES.withinMs)
  return {
    of: (principal) => ({
      note(rule) {
        const others = lately(rule).filter(([one]) => one !== principal)
        ended.set(rule, new Map([...others.slice(1 - SEVERAL), [principal, now()]]))
      },
      holds(rule) {
        if (!ended.has(rule)) return false
        const all = lately(rule)
        return all.length >= SEVERAL || all.some(([one]) => one === principal)
      },
    }),
  }
}
