import type { Alert, CallContext, Receipt } from '@gatehouse/sdk'
import type { CompiledRule } from '../domain/snapshot.js'
import type { Told } from './beside.js'
import type { Leg } from './shape.js'

/** What a rule came to on one leg. */
export interface Conclusion {
  readonly verdict: Receipt['verdict']
  readonly findings: Readonly<Record<string, number>>
  /** What its engine told besides; null: nothing. */
  readonly told: Told | null
  /** Why it was undecided; for the log. */
  readonly failure: string | null
  readonly ms: number
}

const NO_FINDINGS: Receipt['findings'] = Object.freeze({})

export function receiptOf(compiled: CompiledRule, leg: Leg, conclusion: Conclusion): Receipt {
  const { rule, kind, instance } = compiled
  const { verdict, findings, told, failure, ms } = conclusion
  const receipt: Draft<Receipt> = {
    rule_id: rule.id,
    rule_version: rule.version,
    rule_name: rule.name,
    engine: kind,
    instance,
    hook: leg,
    verdict,
    action: rule.action,
    shadow: rule.shadow,
    findings: verdict === 'pass' && told === null ? NO_FINDINGS : findings,
    // What is in shadow falls nowhere: the message goes on either way.
    fell: failure === null || rule.shadow ? null : rule.onFailure === 'block' ? 'closed' : 'open',
    ms,
  }
  if (told?.evidence != null) receipt.evidence = told.evidence
  return receipt
}

type Draft<Type> = { -readonly [Key in keyof Type]: Type[Key] }

/**
 * The alert of a conclusion: a failure always raises one, an act only with the rule's toggle. A rule in shadow alerts nobody of
 * anything: its receipts and the log tell.
 */
export function alertOf(
  compiled: CompiledRule,
  leg: Leg,
  context: CallContext,
  { failure, verdict }: Conclusion,
): Alert | null {
  const { alerts, shadow } = compiled.rule
  if (shadow) return null
  if (failure !== null) return alert(compiled, leg, context, FAILED)
  const wording = alerts ? ACTED[verdict] : undefined
  return wording === undefined ? null : alert(compiled, leg, context, wording)
}

interface Wording {
  readonly type: Alert['type']
  readonly severity: Alert['severity']
  readonly did: string
}
const FAILED: Wording = { type: 'rule_engine_failed', severity: 'error', did: 'could not decide on' }
const ACTED: Partial<Record<Receipt['verdict'], Wording>> = {
  block: { type: 'rule_blocked', severity: 'warning', did: 'blocked' },
  modify: { type: 'rule_modified', severity: 'info', did: 'changed' },
  detect: { type: 'rule_detected', severity: 'info', did: 'found something in' },
}

function alert(
  { rule, kind, instance }: CompiledRule,
  leg: Leg,
  context: CallContext,
  { type, severity, did }: Wording,
): Alert {
  return {
    type,
    severity,
    key: `${type}:${rule.id}`,
    message: `The rule “${rule.name}” ${did} a ${leg} of ${nameOf(context)}.`,
    gatewayId: rule.gatewayId,
    ruleId: rule.id,
    ...(context.server === null ? {} : { serverId: context.server.id }),
    ...(context.user === null ? {} : { userId: context.user.id }),
    correlationId: context.correlationId,
    context: {
      leg,
      engine: kind,
      ...(instance === null ? {} : { instance }),
      ...(type === FAILED.type ? { onFailure: rule.onFailure } : {}),
    },
  }
}

/** Clients write the URIs of resources themselves, and rules look at them: what was matched may stand there. */
function nameOf({ feature, method }: CallContext): string {
  if (feature === null) return method
  return feature.kind === 'resource' ? 'a resource' : feature.name
}
