import { RULE_STRIKES } from '@gatehouse/sdk/rule-abi'
import { quarantineFor } from '../domain/rule-watch.js'
import type { Quarantine, RuleWatch, Strike } from '../domain/rule-watch.js'

/** A rule that has failed so many of them, each by themselves, fails. */
const MOST_HELD = 2

/**
 * Notes a fault of a rule's own; answers the quarantine that it has earned with it, and puts it there. Faults on the messages of one
 * person alone keep it from their messages alone: nobody shall switch a rule off for others by what they send.
 */
export function strike(watch: RuleWatch, fault: Strike): Quarantine | null {
  const { at, principal } = fault
  if (quarantineFor(watch, principal) !== null) return null
  const recent = watch.strikes.filter((one) => at - one.at < RULE_STRIKES.withinMs)
  watch.strikes = [...recent, fault]
  if (watch.strikes.length < RULE_STRIKES.count) return null
  const reasons = watch.strikes.map((one) => one.reason)
  const isTheirs = principal !== null && watch.strikes.every((one) => one.principal === principal)
  const isHeld = isTheirs && watch.held.size < MOST_HELD
  const quarantine = { since: new Date(at).toISOString(), reasons, principal: isHeld ? principal : null }
  if (isHeld) hold(watch, principal, quarantine)
  else watch.quarantine = quarantine
  return quarantine
}

function hold(watch: RuleWatch, principal: string, quarantine: Quarantine): void {
  watch.held = new Map([...watch.held, [principal, quarantine]])
  watch.strikes = watch.strikes.filter((one) => one.principal !== principal)
}

/** Why a rule must not be asked about a message of theirs; null: it may. */
export function barred(watch: RuleWatch, principal: string | null): string | null {
  const quarantine = quarantineFor(watch, principal)
  return quarantine === null ? null : `in quarantine since ${quarantine.since}: ${quarantine.reasons.at(-1) ?? ''}`
}
