import type { Evaluation, Evidence, JsonObject } from '@gatehouse/sdk'

/** What an engine told beside its answer, as it stands in the records. */
export interface Told {
  readonly counts: Readonly<Record<string, number>> | null
  readonly evidence: Evidence | null
  readonly recorded: JsonObject | null
  /** The rule's own fault. */
  readonly strike: string | null
}

const MOST_EVIDENCE = 16
const LONGEST_KEY = 64
const LONGEST_TEXT = 200
const MOST_COUNTS = 200
const MOST_RECORDED = 65_536

/** Null when it tells nothing, which costs next to nothing; a text when what it tells cannot be believed. */
export function readBeside(answer: Evaluation | undefined): Told | string | null {
  if (answer === undefined || answer === null) return null
  const { counts, evidence, recorded, strike } = answer
  if (counts === undefined && evidence === undefined && recorded === undefined && strike === undefined) return null
  if (counts !== undefined && !areCounts(counts)) return 'counts that are none'
  if (evidence !== undefined && !isEvidence(evidence)) return 'evidence that is none'
  if (recorded !== undefined && !isRecord(recorded)) return 'more to record than a receipt may hold'
  return {
    counts: counts ?? null,
    evidence: evidence === undefined ? null : Object.freeze({ ...evidence }),
    recorded: recorded ?? null,
    strike: strike === undefined ? null : String(strike).slice(0, LONGEST_TEXT),
  }
}

function areCounts(counts: unknown): boolean {
  if (!isPlain(counts)) return false
  const entries = Object.entries(counts)
  return (
    entries.length <= MOST_COUNTS &&
    entries.every(([type, n]) => type.length <= LONGEST_TEXT && Number.isSafeInteger(n) && (n as number) >= 0)
  )
}

function isEvidence(evidence: unknown): boolean {
  if (!isPlain(evidence)) return false
  const keys = Object.keys(evidence)
  return keys.length <= MOST_EVIDENCE && keys.every((key) => key.length <= LONGEST_KEY && isTold(evidence[key]))
}

const isTold = (value: unknown): boolean =>
  typeof value === 'string' ? value.length <= LONGEST_TEXT : typeof value === 'number' && Number.isFinite(value)

function isRecord(recorded: unknown): boolean {
  if (!isPlain(recorded)) return false
  try {
    return Buffer.byteLength(JSON.stringify(recorded)) <= MOST_RECORDED
  } catch {
    return false
  }
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
