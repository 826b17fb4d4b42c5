import { RULE_STRIKES } from '@gatehouse/sdk/rule-abi'
import type { Quarantine, RuleWatch } from '../domain/rule-watch.js'

/** Notes a fault of a rule's own; answers the quarantine that it has earned with it, and puts it there. */
export function strike(watch: RuleWatch, reason: string, at: number): Quarantine | null {
  if (watch.quarantine !== null) return null
  const recent = watch.strikes.filter((one) => at - one.at < RULE_STRIKES.withinMs)
  watch.strikes = [...recent, { at, reason }]
  if (watch.strikes.length < RULE_STRIKES.count) return null
  watch.quarantine = { since: new Date(at).toISOString(), reasons: watch.strikes.map((one) => one.reason) }
  return watch.quarantine
}

/** Why a rule must not be asked; null: it may. */
export const barred = ({ quarantine }: RuleWatch): string | null =>
  quarantine === null ? null : `in quarantine since ${quarantine.since}: ${quarantine.reasons.at(-1) ?? ''}`
