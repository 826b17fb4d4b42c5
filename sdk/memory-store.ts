import type { PluginStore } from './plugin.js'

/** What a plugin keeps while nothing outlives its process: for tests, and for runs that are to leave nothing behind. */
export function createMemoryStore(now: () => number = Date.now): PluginStore {
  const kept = new Map<string, { readonly value: string; readonly until: number }>()
  const read = (key: string): string | undefined => {
    const entry = kept.get(key)
    return entry === undefined || entry.until <= now() ? undefined : entry.value
  }
  const write = (key: string, value: string, ttlMs = Infinity) => void kept.set(key, { value, until: now() + ttlMs })
  return {
    get: async (key) => read(key),
    set: async (key, value, { ttlMs } = {}) => write(key, value, ttlMs),
    async replace(key, { was, value, ttlMs }) {
      if (read(key) !== was) return false
      if (value === undefined) kept.delete(key)
      else write(key, value, ttlMs)
      return true
    },
    delete: async (key) => void kept.delete(key),
  }
}
