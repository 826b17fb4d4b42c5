import { alertTargetConfig } from '../configuration/nouns/alert-targets.js'
import { createAlertQueue } from '../db/repositories/alert-queue.js'
import { type Target, createAlertDeliveries } from '../record/alert-deliveries.js'
import { type House, PARTS, type Surroundings, VERSION } from './house.js'
import { asPluginLog } from './resources.js'

/** The queue of alerts, and what carries it to the targets by way of the plugins. */
export function layAlertDeliveries(house: House, url: () => string, log: Surroundings['log']): void {
  house.make(PARTS.alertQueue, (h) => createAlertQueue(h.get(PARTS.resources).dataSource))
  house.make(PARTS.deliveries, (h) => {
    const { raise, resolve } = h.get(PARTS.alerting)
    return createAlertDeliveries({
      queue: h.get(PARTS.alertQueue),
      target: (id) => targetOf(h, id),
      async deliver(plugin, delivery) {
        const settled = await h.get(PARTS.host).bus.keyed('alert.deliver', plugin)?.ask(delivery)
        if (settled === undefined) return { kind: 'retry', message: `no plugin delivers for '${plugin}'` }
        return settled.ok ? settled.value : { kind: 'retry', message: settled.fault.detail }
      },
      raise: (alert) => void raise(alert),
      resolve: (type, key) => void resolve(type, key),
      url,
      service: { name: 'gatehouse', version: VERSION },
      logger: asPluginLog(log),
    })
  })
}

async function targetOf(house: House, id: string): Promise<Target | null> {
  const store = house.get(PARTS.store)
  const target = await store.alertTargets.find(id)
  if (target === null) return null
  const config = await alertTargetConfig({ store }, target)
  const secrets = target.secrets.flatMap((key) => textsIn(config[key]))
  return { id, name: target.slug, plugin: target.plugin, config, secrets }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
