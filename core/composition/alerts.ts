import type { Alert } from '@gatehouse/sdk'
import type { Logger } from 'pino'
import type { Fault } from '../hooks/settle.js'
import type { Overflow } from '../record/gap.js'
import { type House, PARTS } from './house.js'

/**
 * Stores an alert and tells the plugins; a failure to do so is logged, and must not fail the call. That a plugin failed to
 * be told is told to none: it would fail again, for ever.
 */
export function createRaise(house: House, log: Logger): (alert: Alert) => void {
  const keep = async (alert: Alert) => {
    await house.get(PARTS.alerts).raise(alert)
    const { bus } = house.get(PARTS.host)
    if (bus.has('alert.raised') && alert.context?.hook !== 'alert.raised') await bus.parallel('alert.raised', alert)
  }
  return (alert) =>
    void keep(alert).catch((thrown: unknown) =>
      log.error({ type: alert.type, err: thrown }, 'an alert could not be stored'),
    )
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
