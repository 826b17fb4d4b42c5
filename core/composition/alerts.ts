import type { Alert } from '@gatehouse/sdk'
import type { Logger } from 'pino'
import type { Fault } from '../hooks/settle.js'
import type { Overflow } from '../record/gap.js'
import { type House, PARTS } from './house.js'

export interface Alerting {
  raise(alert: Alert): void
  /** What the standing alert of this key told of is over. */
  resolve(type: Alert['type'], key: string): void
}

/**
 * Stores an alert and tells the plugins; a failure to do so is logged, and must not fail the call. That a plugin failed to
 * be told is told to none: it would fail again, for ever. What is said of one key is done in order.
 */
export function createAlerting(house: House, log: Logger): Alerting {
  const last = new Map<string, Promise<void>>()
  const inOrder = (type: Alert['type'], key: string, work: () => Promise<unknown>): void => {
    const name = `${type} ${key}`
    const before = last.get(name) ?? Promise.resolve()
    const done: Promise<void> = before
      .then(work)
      .then(
        () => undefined,
        (thrown: unknown) => log.error({ type, err: thrown }, 'an alert could not be stored'),
      )
      .then(() => void (last.get(name) === done && last.delete(name)))
    last.set(name, done)
  }
  const keep = async (alert: Alert) => {
    await house.get(PARTS.alerts).raise(alert)
    const { bus } = house.get(PARTS.host)
    if (bus.has('alert.raised') && alert.context?.hook !== 'alert.raised') await bus.parallel('alert.raised', alert)
  }
  return {
    raise: (alert) => inOrder(alert.type, alert.key, () => keep(alert)),
    resolve: (type, key) => inOrder(type, key, () => house.get(PARTS.alerts).resolve(type, key)),
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
