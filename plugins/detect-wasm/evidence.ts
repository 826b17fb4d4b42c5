import { configDigest } from '@gatehouse/rule-sandbox/digest'
import type { Ran } from '@gatehouse/rule-sandbox'
import type { Evidence, JsonObject } from '@gatehouse/sdk'
import type { RuleFinding } from '@gatehouse/sdk/rule-abi'
import { isLarger } from './inputs.js'
import type { Facts } from './inputs.js'
import type { Prepared } from './shelf.js'

const MOST_COUNTERS = 8
const LONGEST_KEY = 64
const MOST_RECORDED = 65_536
/** So many signs become no more bytes than that, however they are written. */
const SURELY_SMALL = 10_000

/** What a verdict rests on. Of many counters the largest. */
export function evidenceOf({ evidence }: Prepared, { fuel, counters }: Ran): Evidence {
  if (Object.keys(counters).length === 0) return { ...evidence, fuel }
  const counted = Object.entries(counters)
    .map(([name, n]) => [`counter.${name}`, n] as const)
    .filter(([key]) => key.length <= LONGEST_KEY)
    .toSorted(([, some], [, others]) => others - some)
    .slice(0, MOST_COUNTERS)
  return { ...evidence, fuel, ...Object.fromEntries(counted) }
}

/** The part that is the same for every run, and is known of a rule that came to no end, too. */
export function whatRuns({ build, held, artifact }: Pick<Prepared, 'build' | 'held' | 'artifact'>): Evidence {
  const { manifest, sha256, facts } = build.module
  return {
    abi: manifest.abi,
    module: `${artifact.name}@${artifact.version}`,
    module_sha256: sha256,
    config_sha256: configDigest(held.config),
    ...(facts['meter'] !== undefined && { meter: String(facts['meter']) }),
  }
}

/** All that the rule saw besides the message; undefined when it is more than may be kept. */
export function recordedOf(
  { build, held, artifact }: Prepared,
  facts: Facts,
  reads: Ran['reads'],
): JsonObject | undefined {
  const { limits, sha256 } = build.module
  const recorded = {
    input: facts,
    config: { ...held.config },
    limits: { ...limits },
    kv: { ...reads },
    module: { ...artifact, sha256 },
  } as unknown as JsonObject
  return isSmall(recorded) ? recorded : undefined
}

/** Most are far smaller than they might be: those are not written out to know it. */
function isSmall(recorded: JsonObject): boolean {
  if (!isLarger(recorded, SURELY_SMALL)) return true
  return Buffer.byteLength(JSON.stringify(recorded)) <= MOST_RECORDED
}

/** So many types are told apart in a receipt. */
const MOST_TYPES = 200
const OTHER = 'other'

/** How often each type stands there; undefined when nothing does. */
export function countsOf(findings: readonly RuleFinding[]): Readonly<Record<string, number>> | undefined {
  if (findings.length === 0) return undefined
  const counts = new Map<string, number>()
  for (const { type } of findings) {
    const name = counts.has(type) || counts.size < MOST_TYPES - 1 ? type : OTHER
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
}
