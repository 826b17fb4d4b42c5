import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'
import type { RuleConfig } from './config.js'
import { RuleFault } from './fault.js'
import { compilePatterns, type Pattern } from './patterns.js'
import { tooDear } from './re2.js'
import { Store } from './store.js'
import { decodeForPeople } from './text.js'
import type { Ran } from './types.js'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLine = Ran['log'][number]

/** What the capabilities of one rule do in one run, within their quotas, whatever language it is written in. */
export class Capabilities {
  readonly store = new Store()
  readonly #patterns: ReadonlyMap<string, Pattern>
  readonly #counters: ReadonlySet<string>
  #log: LogLine[] = []
  #dropped = 0
  #counts: Record<string, number> = none()
  #shown = 0

  constructor(
    manifest: RuleManifest,
    readonly config: RuleConfig,
  ) {
    this.#patterns = compilePatterns(manifest.patterns)
    this.#counters = new Set(manifest.counters)
  }

  /** Forgets the former run. */
  begin(kv: ReadonlyMap<string, string> | null): void {
    this.store.begin(kv)
    if (this.#log.length > 0) this.#log = []
    this.#dropped = 0
    this.#counts = none()
    this.#shown = 0
  }

  /** What the run has done beside its answer. */
  told(): Pick<Ran, 'log' | 'dropped' | 'counters' | 'reads' | 'writes'> {
    const { reads, writes } = this.store
    return { log: this.#log, dropped: this.#dropped, counters: this.#counts, reads, writes }
  }

  /** `bytes` are UTF-8. Lines over the quota are dropped and counted, long ones cut. */
  log(level: number, bytes: Uint8Array): void {
    if (this.#log.length >= RULE_LIMITS.logLines) {
      this.#dropped += 1
      return
    }
    const text = decodeForPeople(bytes, RULE_LIMITS.logLineBytes)
    this.#log.push({ level: LOG_LEVELS[level] ?? 'info', text })
  }

  readConfig(key: string): string | undefined {
    return this.config[key]
  }

  count(name: string, n: number): void {
    if (!this.#counters.has(name)) throw new RuleFault('trap', 'named a counter that its manifest does not have')
    if (n < 0) throw new RuleFault('trap', 'counted down')
    this.#counts[name] = Math.min((this.#counts[name] ?? 0) + n, Number.MAX_SAFE_INTEGER)
  }

  /**
   * Looks for a pattern in a text of UTF-8, from a byte on; undefined when there is none of this id. All that patterns look at in one run
   * is bounded: up to the end of what they find, or of the text. A look that could not be paid is refused before it is done: a text without
   * a match is read to its end.
   */
  match(id: string, text: Uint8Array, from: number, purse: Purse): Match | undefined {
    const pattern = this.#patterns.get(id)
    if (pattern === undefined) return undefined
    const rest = text.length - from
    if (rest < 0) return { found: null }
    if (rest > RULE_LIMITS.regexBytes) throw tooMuch()
    const { fuelPerByte, fuelPerMatchedByte } = pattern
    const left = purse.left()
    if (rest * fuelPerByte > left) throw tooDear()
    const look = pattern.find(text, from, Math.floor(left / fuelPerMatchedByte))
    const looked = look === null ? rest : Math.max(1, look.end - from)
    this.#shown += looked
    if (this.#shown > RULE_LIMITS.regexBytes) throw tooMuch()
    purse.charge(looked * fuelPerByte + (look === null ? 0 : Math.max(looked, look.read) * fuelPerMatchedByte))
    return { found: look && [look.start, look.end] }
  }
}

export interface Match {
  readonly found: readonly [start: number, end: number] | null
}

/** What a run may still spend, in units of fuel. */
export interface Purse {
  left(): number
  /** Throws when there is less. */
  charge(units: number): void
}

const tooMuch = (): RuleFault => new RuleFault('fuel', `showed more than ${RULE_LIMITS.regexBytes} bytes to patterns`)
const none = (): Record<string, number> => Object.create(null) as Record<string, number>
