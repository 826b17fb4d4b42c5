import type { Alert } from '@gatehouse/sdk'
import type { Logger } from 'pino'
import type { Fault } from '../hooks/settle.js'
import type { Overflow } from '../record/gap.js'
import { type House, PARTS } from './house.js'

/** Neither rejects: a failure is logged, and must not fail the call. */
export interface Alerting {
  raise(alert: Alert): Promise<void>
  /** What the standing alert of this key told of is over. */
  resolve(type: Alert['type'], key: string): Promise<void>
}

/**
 * Stores an alert and tells the plugins. That a plugin failed to be told is told to none: it would fail again, for ever.
 */
export function createAlerting(house: House, log: Logger): Alerting {
  const keep = async (alert: Alert) => {
    await house.get(PARTS.alerts).raise(alert)
    const { bus } = house.get(PARTS.host)
    if (bus.has('alert.raised') && alert.context?.hook !== 'alert.raised') await bus.parallel('alert.raised', alert)
  }
  const logged = (type: Alert['type']) => (thrown: unknown) =>
    log.error({ type, err: thrown }, 'an alert could not be stored')
  return {
    raise: (alert) => keep(alert).catch(logged(alert.type)),
    resolve: (type, key) =>
      house
        .get(PARTS.alerts)
        .resolve(type, key)
        .then(() => undefined, logged(type)),
  }
}

export function overflowAlert(facts: Overflow): Alert {
  const message = `The record is full: ${facts.lost} messages were not kept, ${facts.refused} were refused`
  return { type: 'audit_overflow', severity: 'error', key: 'audit_overflow', message }
}

export function faultAlert(fault: Fault): Alert {
  const { plugin, hook, failure } = fault
  const message = `Plugin '${plugin}' failed at '${hook}': ${failure}`
  const context = { plugin, hook, failure }
  return { type: 'plugin_failed', severity: 'error', key: `plugin_failed/${plugin}/${hook}`, message, context }
}
