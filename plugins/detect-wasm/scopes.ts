import type { Ran } from '@gatehouse/rule-sandbox'
import type { PluginStore } from '@gatehouse/sdk'
import { RULE_LIMITS } from '@gatehouse/sdk/rule-abi'
import { z } from 'zod'

/** What a rule has stored: for it alone, on one gateway, for one connection; and apart while it is only tried. */
export interface Scope {
  readonly rule: string
  readonly shadow: boolean
  readonly gateway: string
  readonly connection: string
}

/** What was stored, while nobody else writes there. */
export interface Opened {
  readonly values: ReadonlyMap<string, string>
  /** Rejects when it could not be kept: the verdict that rests on it must not stand. */
  commit(writes: Ran['writes']): Promise<void>
}

/** What stateful rules remember. Calls of one scope run one after another in this process. */
export interface Scopes {
  /** Opens all of them, runs, and closes them. Null for one that cannot be read. */
  within<T>(scopes: readonly Scope[], run: (opened: readonly (Opened | null)[]) => Promise<T>): Promise<T>
}

interface Entry {
  readonly value: string
  readonly expiresAt: number
}
/** A list, for a key may be called like what every object has. */
const Row = z.array(z.tuple([z.string(), z.string(), z.number()]))

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
  const entries = new Map<string, Entry>()
  for (const [name, value, expiresAt] of read(await store.get(key)))
    if (expiresAt > now()) entries.set(name, { value, expiresAt })
  return {
    values: new Map([...entries].map(([name, { value }]) => [name, value])),
    async commit(writes) {
      if (writes.length === 0) return
      apply(entries, writes, now())
      if (entries.size === 0) return store.delete(key)
      const last = Math.max(...[...entries.values()].map(({ expiresAt }) => expiresAt))
      const row = [...entries].map(([name, { value, expiresAt }]) => [name, value, expiresAt])
      await store.set(key, JSON.stringify(row), { ttlMs: Math.max(1, last - now()) })
    },
  }
}

/** What is unreadable is not taken for nothing: a limit that a rule counts would begin anew. */
function read(text: string | undefined): z.infer<typeof Row> {
  return text === undefined ? [] : Row.parse(JSON.parse(text))
}

function apply(entries: Map<string, Entry>, writes: Ran['writes'], now: number): void {
  for (const { key, value, ttlSeconds } of writes) {
    if (value === null) entries.delete(key)
    else entries.set(key, { value, expiresAt: now + (ttlSeconds > 0 ? ttlSeconds : RULE_LIMITS.kvTtlSeconds) * 1_000 })
  }
}
