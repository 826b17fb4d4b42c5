import type { AlertDelivery, AlertDigest, ToldAlert } from '@gatehouse/sdk'
import { randomUUID } from 'node:crypto'
import type { AlertMessage, StandingAlert } from '../domain/alerts.js'

/** An alert as plugins are told of it. */
export function told(alert: StandingAlert, url: string): ToldAlert {
  const { gatewayId, serverId, ruleId, connectionId, userId, correlationId, stateAt: _, ...plain } = alert
  const ids = { gatewayId, serverId, ruleId, connectionId, userId, correlationId }
  const known = Object.fromEntries(Object.entries(ids).filter(([, id]) => id !== null))
  return { ...plain, ...known, url: `${url}/console/alerts/${alert.id}` }
}

type Envelope = Pick<AlertDelivery, 'id' | 'target' | 'attempt' | 'isTest' | 'service'>

/** A message of one alert is that alert; more are a digest. */
export function deliveryOf(envelope: Envelope, message: AlertMessage, url: string): AlertDelivery | null {
  const alerts = message.alerts.map((alert) => told(alert, url))
  const [alert] = alerts
  if (alert === undefined) return null
  if (message.total === 1) return { ...envelope, kind: 'alert', alert }
  const digest: AlertDigest = {
    total: message.total,
    bySeverity: message.bySeverity,
    alerts,
    url: `${url}/console/alerts`,
  }
  return { ...envelope, kind: 'digest', digest }
}

/** What a target is sent when somebody tries it. */
export function sampleAlert(now: Date, url: string): ToldAlert {
  const id = randomUUID()
  const at = now.toISOString()
  return {
    id,
    type: 'rule_detected',
    severity: 'info',
    key: `sample/${id}`,
    message: 'This is a test of Gatehouse: alerts that fit this target will look like this. Nothing has happened.',
    context: { sample: true },
    count: 1,
    state: 'open',
    firstAt: at,
    lastAt: at,
    ...{ gateway: null, server: null, rule: null, user: null },
    url: `${url}/console/alerts`,
  }
}
