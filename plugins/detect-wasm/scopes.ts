import type { Ran } from '@gatehouse/rule-sandbox'
import type { PluginStore } from '@gatehouse/sdk'
import { applied, readKept, writeKept } from './kept.js'

/** What a rule has stored: for it alone, on one gateway, for one connection; and apart while it is only tried. */
export interface Scope {
  readonly rule: string
  readonly shadow: boolean
  readonly gateway: string
  readonly connection: string
}

/** What was stored, while nobody else in this process writes there. */
export interface Opened {
  readonly values: ReadonlyMap<string, string>
  /**
   * False when another replica has changed it since, rejects when it could not be kept: nothing is stored then, and the verdict that rests
   * on it must not stand.
   */
  commit(writes: Ran['writes']): Promise<boolean>
  /** What is stored now. */
  again(): Promise<Opened>
}

/** What stateful rules remember. Calls of one scope run one after another in this process; of several replicas, one comes first. */
export interface Scopes {
  /** Opens all of them, runs, and closes them. Null for one that cannot be read. */
  within<T>(scopes: readonly Scope[], run: (opened: readonly (Opened | null)[]) => Promise<T>): Promise<T>
}

export function createScopes(store: PluginStore, now: () => number): Scopes {
  /** The last in each row of callers. */
  const rows = new Map<string, Promise<void>>()

  async function enter(key: string): Promise<() => void> {
    const before = rows.get(key)
    let leave = () => {}
    const mine = new Promise<void>((resolve) => (leave = resolve))
    rows.set(key, mine)
    await before
    return () => {
      if (rows.get(key) === mine) rows.delete(key)
      leave()
    }
  }

  return {
    async within(scopes, run) {
      const keys = scopes.map(keyOf)
      const leaves: (() => void)[] = []
      try {
        // Always in the same order, so that two calls never wait for each other.
        for (const key of [...new Set(keys)].toSorted()) leaves.push(await enter(key))
        return await run(await Promise.all(keys.map((key) => open(store, key, now).catch(() => null))))
      } finally {
        for (const leave of leaves) leave()
      }
    },
  }
}

const keyOf = ({ rule, shadow, gateway, connection }: Scope): string =>
  `kv:${rule}:${gateway}:${connection}${shadow ? ':shadow' : ''}`

async function open(store: PluginStore, key: string, now: () => number): Promise<Opened> {
  const was = await store.get(key)
  const entries = readKept(was, now())
  return {
    values: new Map([...entries].map(([name, { value }]) => [name, value])),
    async commit(writes) {
      if (writes.length === 0) return true
      const at = now()
      const after = applied(entries, writes, at)
      const value = writeKept(after)
      const last = Math.max(at, ...[...after.values()].map(({ expiresAt }) => expiresAt))
      return store.replace(key, { was, value, ttlMs: Math.max(1, last - at) })
    },
    again: () => open(store, key, now),
  }
}
