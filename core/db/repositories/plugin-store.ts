import type { DataSource } from 'typeorm'
import type { PluginStore } from '@gatehouse/sdk'
import { GatehouseError } from '../../errors.js'
import { guardAll } from './failures.js'

const LONGEST_KEY = 256
const LARGEST_VALUE = 65_536

/** What one plugin keeps; it cannot reach what another has. */
export function createPluginStore(dataSource: DataSource, pluginId: string): PluginStore {
  return guardAll<PluginStore>({
    get: async (key) => {
      const rows: { value: string }[] = await dataSource.query(
        'select value from plugin_store where plugin = $1 and key = $2',
        [pluginId, key],
      )
      return rows[0]?.value
    },
    set: async (key, value) => {
      refuseOversize(key, value)
      await dataSource.query(
        `insert into plugin_store (plugin, key, value) values ($1, $2, $3)
         on conflict (plugin, key) do update set value = excluded.value`,
        [pluginId, key, value],
      )
    },
    delete: async (key) => {
      await dataSource.query('delete from plugin_store where plugin = $1 and key = $2', [pluginId, key])
    },
  })
}

function refuseOversize(key: string, value: string): void {
  const isKeyLong = key.length > LONGEST_KEY
  if (!isKeyLong && Buffer.byteLength(value) <= LARGEST_VALUE) return
  const message = isKeyLong ? `a key has at most ${LONGEST_KEY} characters` : 'a value has at most 64 KiB of text'
  throw new GatehouseError('GH_API_INVALID', { message })
}
