import type { Alert } from '@gatehouse/sdk'
import type { Logger } from 'pino'
import type { Alerting } from '../domain/alerts.js'
import { scrubAlert, scrubText } from '../domain/scrub.js'
import type { Fault } from '../hooks/settle.js'
import { createAlertGatherer } from '../record/alert-gatherer.js'
import type { Overflow } from '../record/gap.js'
import { type House, PARTS } from './house.js'
import { asPluginLog } from './resources.js'

/**
 * Scrubs and stores alerts and tells the plugins and the deliveries. That a plugin failed to be told is told to none: it
 * would fail again, for ever.
 */
export function createAlerting(house: House, log: Logger, pauseMs?: number): Alerting {
  const gatherer = createAlertGatherer({
    store: (raised) => house.get(PARTS.alerts).raise(raised),
    onStored(stored) {
      if (stored.some(({ row }) => row.isToCarry)) house.get(PARTS.deliveries).wake()
      const { bus } = house.get(PARTS.host)
      if (!bus.has('alert.raised')) return
      for (const { raised, row } of stored) {
        const { id, count, state, firstAt, lastAt } = row
        if (raised.alert.context?.['hook'] === 'alert.raised') continue
        void bus.parallel('alert.raised', { ...raised.alert, id, count, state, firstAt, lastAt })
      }
    },
    log: asPluginLog(log),
    ...(pauseMs === undefined ? {} : { pauseMs }),
  })
  return {
    raise: (alert, holder) => gatherer.raise(scrubAlert(alert), holder),
    async resolve(type, key, holder) {
      const stored = scrubText(key)
      await gatherer.settled(type, stored)
      const resolved = house.get(PARTS.alerts).resolve(type, stored, holder)
      await resolved.catch((thrown: unknown) => log.error({ type, err: thrown }, 'an alert could not be resolved'))
    },
    stop: gatherer.stop,
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
