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
        `select value from plugin_store where plugin = $1 and key = $2 and (expires_at is null or expires_at > clock_timestamp())`,
        [pluginId, key],
      )
      return rows[0]?.value
    },
    set: async (key, value, { ttlMs } = {}) => {
      refuseOversize(key, value)
      refuseNoTime(ttlMs)
      await dataSource.query(SET, [pluginId, key, value, ttlMs ?? null])
    },
    delete: async (key) => {
      await dataSource.query('delete from plugin_store where plugin = $1 and key = $2', [pluginId, key])
    },
    replace: async (key, { was, value, ttlMs }) => {
      refuseOversize(key, value ?? '')
      refuseNoTime(ttlMs)
      const [statement, given] = replacing(was, value, ttlMs ?? null)
      const done: unknown[] = await dataSource.query(statement, [pluginId, key, ...given])
      return done.length > 0
    },
  })
}

/** Answers a row when it was done. Each waits for whoever is writing there, and looks at what that left. */
function replacing(was: string | undefined, value: string | undefined, ttlMs: number | null): [string, unknown[]] {
  if (value === undefined) return was === undefined ? [LACKS, []] : [REMOVE, [was]]
  return was === undefined ? [PUT, [value, ttlMs]] : [CHANGE, [value, ttlMs, was]]
}

const SET = `insert into plugin_store (plugin, key, value, expires_at)
  values ($1, $2, $3, clock_timestamp() + $4::double precision * interval '1 millisecond')
  on conflict (plugin, key) do update set value = excluded.value, expires_at = excluded.expires_at`
const PUT = `${SET} where plugin_store.expires_at <= clock_timestamp() returning 1`
const CHANGE = `with done as (
  update plugin_store set value = $3, expires_at = clock_timestamp() + $4::double precision * interval '1 millisecond'
  where plugin = $1 and key = $2 and value = $5 and (expires_at is null or expires_at > clock_timestamp())
  returning 1) select * from done`
const REMOVE = `with done as (
  delete from plugin_store
  where plugin = $1 and key = $2 and value = $3 and (expires_at is null or expires_at > clock_timestamp())
  returning 1) select * from done`
const LACKS = `select 1 where not exists (
  select from plugin_store where plugin = $1 and key = $2 and (expires_at is null or expires_at > clock_timestamp()))`

/** Deletes what plugins kept for a while that is over, at most so many of them; answers how many. */
export async function sweepPluginStore(dataSource: DataSource, limit: number): Promise<number> {
  const gone: unknown[] = await dataSource.query(
    `with gone as (delete from plugin_store where ctid in (
       select ctid from plugin_store where expires_at <= clock_timestamp() limit $1) returning 1) select * from gone`,
    [limit],
  )
  return gone.length
}

/** A thousand years are for ever; less than nothing is a mistake. */
const LONGEST_TTL_MS = 1_000 * 365 * 86_400_000

function refuseNoTime(ttlMs: number | undefined): void {
  if (ttlMs === undefined || (ttlMs > 0 && ttlMs <= LONGEST_TTL_MS)) return
  throw new GatehouseError('GH_API_INVALID', { message: 'a value is kept for more than 0 ms, or without an end' })
}

function refuseOversize(key: string, value: string): void {
  const isKeyLong = key.length > LONGEST_KEY
  if (!isKeyLong && Buffer.byteLength(value) <= LARGEST_VALUE) return
  const message = isKeyLong ? `a key has at most ${LONGEST_KEY} characters` : 'a value has at most 64 KiB of text'
  throw new GatehouseError('GH_API_INVALID', { message })
}
