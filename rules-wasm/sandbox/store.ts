import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'
import { RuleFault } from './fault.js'
import type { Ran } from './types.js'

type Write = Ran['writes'][number]

/**
 * What a stateful rule has stored, as it sees it in one run: what it writes it reads again, and nothing is stored before whoever runs it
 * does so. Remembers what was read: with that alone the run can be repeated.
 */
export class Store {
  #stored: ReadonlyMap<string, string> | null = null
  #writes = new Map<string, Write>()
  #reads: Record<string, string | null> = none()
  #keys = 0
  #bytes = 0
  #named = 0

  begin(stored: ReadonlyMap<string, string> | null): void {
    if (this.#writes.size > 0) this.#writes = new Map()
    this.#reads = none()
    this.#stored = stored
    this.#keys = -1
    this.#named = 0
  }

  get reads(): Ran['reads'] {
    return this.#reads
  }

  get writes(): Ran['writes'] {
    return this.#writes.size === 0 ? nothing : [...this.#writes.values()]
  }

  get(key: string): string | null {
    const written = this.#writes.get(key)
    if (written !== undefined) return written.value
    if (this.#stored === null || Buffer.byteLength(key) > RULE_LIMITS.kvKeyBytes) return null
    return this.#read(key, this.#stored)
  }

  /** False when it has no store, or no room in it. */
  set(key: string, value: string, ttlSeconds: number): boolean {
    if (this.#stored === null) return false
    const [keyBytes, valueBytes] = [Buffer.byteLength(key), Buffer.byteLength(value)]
    if (keyBytes > RULE_LIMITS.kvKeyBytes || valueBytes > RULE_LIMITS.kvValueBytes) return false
    this.#measure()
    const former = this.#current(key)
    const keys = this.#keys + (former === null ? 1 : 0)
    const bytes = this.#bytes + keyBytes + valueBytes - (former === null ? 0 : sizeOf(key, former))
    if (keys > RULE_LIMITS.kvKeys || bytes > RULE_LIMITS.kvBytes) return this.#refuse()
    this.#bound(key)
    this.#keys = keys
    this.#bytes = bytes
    const longest = RULE_LIMITS.kvTtlSeconds
    this.#writes.set(key, { key, value, ttlSeconds: ttlSeconds > 0 ? Math.min(ttlSeconds, longest) : longest })
    return true
  }

  delete(key: string): void {
    if (this.get(key) === null) return
    this.#bound(key)
    this.#measure()
    this.#keys -= 1
    this.#bytes -= sizeOf(key, this.#current(key) ?? '')
    this.#writes.set(key, { key, value: null, ttlSeconds: 0 })
  }

  #read(key: string, stored: ReadonlyMap<string, string>): string | null {
    if (!(key in this.#reads) && (this.#named += 1) > mostNamed)
      throw new RuleFault('trap', `asked for more than ${mostNamed} keys of its store`)
    return (this.#reads[key] = stored.get(key) ?? null)
  }

  /** Quotas count what is there; who writes and deletes in turn would never reach them. */
  #bound(key: string): void {
    if (!this.#writes.has(key) && this.#writes.size >= mostNamed)
      throw new RuleFault('trap', `wrote to more than ${mostNamed} keys of its store`)
  }

  #current(key: string): string | null {
    const written = this.#writes.get(key)
    return written === undefined ? (this.#stored?.get(key) ?? null) : written.value
  }

  #measure(): void {
    if (this.#keys >= 0) return
    this.#keys = this.#stored?.size ?? 0
    this.#bytes = 0
    for (const [key, value] of this.#stored ?? []) this.#bytes += sizeOf(key, value)
  }

  /** That there is no room rests on all that is stored: it counts as read. */
  #refuse(): false {
    for (const [key, value] of this.#stored ?? []) this.#reads[key] ??= value
    return false
  }
}

/** Different keys that one run may ask for, and may write to: what was read is kept for a replay, also that there was nothing. */
const mostNamed = RULE_LIMITS.kvKeys * 2
const nothing: Ran['writes'] = Object.freeze([])
const none = (): Record<string, string | null> => Object.create(null) as Record<string, string | null>
const sizeOf = (key: string, value: string): number => Buffer.byteLength(key) + Buffer.byteLength(value)
