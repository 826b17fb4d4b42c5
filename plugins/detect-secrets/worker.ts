import type { Finding, Leaf } from '@gatehouse/sdk'
import { serveTasks } from '@gatehouse/sdk/workers'
import type { RuleConfig } from './config.js'
import { search } from './search.js'
import { scannerFor } from './scanner.js'
import type { Scanner } from './scanner.js'

/** What a thread is asked: all texts of one message. */
export interface Job {
  readonly rule: RuleConfig
  readonly leaves: readonly Leaf[]
}
/** Null: more than a message can have. */
export type Found = readonly Finding[] | null

const scanners = new Map<string, Scanner>()
const MOST_SCANNERS = 100

function scanner(rule: RuleConfig): Scanner {
  const key = JSON.stringify(rule)
  const known = scanners.get(key)
  if (known !== undefined) return known
  if (scanners.size >= MOST_SCANNERS) scanners.clear()
  const fresh = scannerFor(rule)
  scanners.set(key, fresh)
  return fresh
}

serveTasks(({ rule, leaves }: Job): Found => {
  const found = search(scanner(rule), leaves, Infinity)
  return found === 'tooMany' || found === 'late' ? null : found
})
