import type { Alert, CallContext, Receipt } from '@gatehouse/sdk'
import type { Rule } from '../domain/nouns.js'
import type { Leg } from './shape.js'

/** What a rule came to on one leg. */
export interface Conclusion {
  readonly verdict: Receipt['verdict']
  readonly findings: Readonly<Record<string, number>>
  /** Why it was undecided; for the log. */
  readonly failure: string | null
  readonly ms: number
}

const NO_FINDINGS: Receipt['findings'] = Object.freeze({})

export function receiptOf(rule: Rule, leg: Leg, { verdict, findings, failure, ms }: Conclusion): Receipt {
  return {
    rule_id: rule.id,
    rule_version: rule.version,
    rule_name: rule.name,
    engine: rule.engine,
    hook: leg,
    verdict,
    action: rule.action,
    shadow: rule.shadow,
    findings: verdict === 'pass' ? NO_FINDINGS : findings,
    fell: failure === null ? null : rule.onFailure === 'block' ? 'closed' : 'open',
    ms,
  }
}

/** The alert of a conclusion: a failure always raises one, an act only with the rule's toggle and never in shadow. */
export function alertOf(rule: Rule, leg: Leg, context: CallContext, conclusion: Conclusion): Alert | null {
  if (conclusion.failure !== null) return alert(rule, leg, context, FAILED)
  if (!rule.alerts || rule.shadow) return null
  const kind = ACTED[conclusion.verdict]
  return kind === undefined ? null : alert(rule, leg, context, kind)
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

function alert(rule: Rule, leg: Leg, context: CallContext, { type, severity, did }: Wording): Alert {
  return {
    type,
    severity,
    key: `${type}:${rule.id}`,
    message: `The rule “${rule.name}” ${did} a ${leg} of ${context.feature?.name ?? context.method}.`,
    gatewayId: rule.gatewayId,
    ruleId: rule.id,
    ...(context.server === null ? {} : { serverId: context.server.id }),
    ...(context.user === null ? {} : { userId: context.user.id }),
    correlationId: context.correlationId,
    context: { leg, engine: rule.engine, ...(type === FAILED.type ? { onFailure: rule.onFailure } : {}) },
  }
}
