import type { PluginLog } from '@gatehouse/sdk'
import { ifUnlocked } from '../cluster/locks.js'
import type { Store } from '../domain/store.js'
import { type Exporters, createExporters } from '../record/exporters.js'
import { type House, PARTS, VERSION } from './house.js'

export function createExports(house: House, logger: PluginLog): Exporters {
  const { recordPool, dataSource } = house.get(PARTS.resources)
  const store = house.get(PARTS.store)
  const { bus } = house.get(PARTS.host)
  return createExporters({
    database: recordPool,
    exporters: async () => {
      const enabled = (await store.exporters.all()).filter((exporter) => exporter.enabled)
      return Promise.all(
        enabled.map(async (exporter) => ({
          id: exporter.id,
          name: exporter.slug,
          plugin: exporter.plugin,
          config: { ...exporter.config, headers: await headersOf(store, exporter.id) },
        })),
      )
    },
    async deliver(plugin, delivery) {
      const settled = await bus.keyed('exporter.deliver', plugin)?.ask(delivery)
      if (settled === undefined) return { kind: 'retry', message: `no plugin delivers for '${plugin}'` }
      return settled.ok ? settled.value : { kind: 'retry', message: settled.fault.detail }
    },
    alone: (name, work) => ifUnlocked(dataSource, name, work),
    alert: house.get(PARTS.raise),
    logger,
    service: { name: 'gatehouse', version: VERSION },
  })
}

async function headersOf(store: Store, id: string): Promise<Record<string, string>> {
  const fields = Object.entries(await store.secrets.fields({ kind: 'exporter', id }))
  return Object.fromEntries(
    fields
      .filter(([field]) => field.startsWith('headers.'))
      .map(([field, value]) => [field.slice('headers.'.length), value]),
  )
}
