import type { Finding, Leaf } from '@gatehouse/sdk'
import type { Scanner } from './scanner.js'

/** Past this many findings in one message it does not go on: core would spend more on them than on the call. */
export const MOST_FINDINGS = 100_000

/** The secrets of all texts. `late`: the time is over, and nothing is said. */
export function search(scan: Scanner, leaves: readonly Leaf[], until: number): readonly Finding[] | 'tooMany' | 'late' {
  const findings: Finding[] = []
  for (const [index, leaf] of leaves.entries()) {
    if (!scan(leaf, index, { findings, until })) return 'late'
    if (findings.length > MOST_FINDINGS) return 'tooMany'
    if ((index & 7) === 7 && performance.now() > until) return 'late'
  }
  return findings
}
