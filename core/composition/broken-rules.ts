import type { Alert } from '@gatehouse/sdk'
import type { CompiledRule, Snapshot } from '../domain/snapshot.js'
import { type House, PARTS } from './house.js'

/** Rules that a change of configuration broke, such as a key that was taken away, are told at once and not at the next call. */
export function tellBrokenRules(house: House): void {
  house.get(PARTS.snapshots).onSwap((next, previous) => {
    const before = new Set(brokenOf(previous).map(({ rule, broken }) => `${rule.id} ${broken}`))
    for (const one of brokenOf(next))
      if (!before.has(`${one.rule.id} ${one.broken}`)) house.get(PARTS.raise)(alertOf(one))
  })
}

function brokenOf(snapshot: Snapshot | null): CompiledRule[] {
  // A gateway stands there under each of its names.
  const plans = new Set(snapshot?.gateways.values() ?? [])
  return [...plans].flatMap(({ rules }) => rules.filter(({ broken }) => broken !== null))
}

function alertOf({ rule, kind, broken }: CompiledRule): Alert {
  const then = rule.onFailure === 'block' && !rule.shadow ? 'blocked' : 'let through'
  return {
    type: 'rule_engine_failed',
    severity: 'error',
    key: `rule_engine_failed:${rule.id}`,
    message: `The rule “${rule.name}” cannot run (${broken}): what it covers is ${then} until that is mended.`,
    gatewayId: rule.gatewayId,
    ruleId: rule.id,
    context: { engine: kind, onFailure: rule.onFailure },
  }
}
