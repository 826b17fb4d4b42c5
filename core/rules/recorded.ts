import type { JsonObject, RuleAction } from '@gatehouse/sdk'
import { z } from 'zod'
import type { ArtifactFacts } from '../domain/snapshot.js'
import { parseJson, writeJson } from '../mcp/json.js'

/** All that is needed, besides the message, to run a verdict of an engine again that tells what it has looked at. */
export interface KeptRun {
  /** `<leg>.<n>`: the end of the id of its receipt. */
  readonly receipt: string
  readonly ruleId: string
  readonly ruleVersion: number
  readonly action: RuleAction | null
  /** The rule's own keys, as they were. */
  readonly config: JsonObject
  /** What of core's artifacts ran. */
  readonly artifact: ArtifactFacts | null
  /** What the rule saw; null when that was the original. */
  readonly message: JsonObject | null
  readonly recorded: JsonObject
}

/** JSON, for sealing: a text for each. A message that several rules saw stands in the first; the others say which that is. */
export function runTexts(runs: readonly KeptRun[]): readonly string[] {
  const first = new Map<JsonObject, string>()
  return runs.map(({ message, ...run }) => {
    const known = message === null ? undefined : first.get(message)
    if (message !== null && known === undefined) first.set(message, run.receipt)
    return writeJson({ ...run, message: known ?? message })
  })
}

const object = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
const Runs = z.array(
  z.object({
    receipt: z.string(),
    ruleId: z.string(),
    ruleVersion: z.int(),
    action: z.enum(['block', 'redact', 'replace', 'mask', 'hash', 'detect']).nullable(),
    config: object,
    artifact: z.object({ name: z.string(), version: z.int(), sha256: z.string() }).nullable(),
    message: z.union([z.string(), object]).nullable(),
    recorded: object,
  }),
)

/**
 * Of the texts of a leg, as they were sealed together. Null for what no version of ours has sealed. A run whose message stood in one
 * that was left out is left out, too.
 */
export function readRuns(text: string): readonly KeptRun[] | null {
  try {
    const runs = Runs.parse(parseJson(text))
    return runs.flatMap(({ message, ...run }) => {
      const seen = typeof message === 'string' ? runs.find(({ receipt }) => receipt === message)?.message : message
      return seen === undefined || typeof seen === 'string' ? [] : [{ ...run, message: seen }]
    })
  } catch {
    return null
  }
}
