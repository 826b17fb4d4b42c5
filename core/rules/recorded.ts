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

/** JSON, for sealing. */
export const runText = (run: KeptRun): string => writeJson(run)

const object = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
const Runs = z.array(
  z.object({
    receipt: z.string(),
    ruleId: z.string(),
    ruleVersion: z.int(),
    action: z.enum(['block', 'redact', 'replace', 'mask', 'hash', 'detect']).nullable(),
    config: object,
    artifact: z.object({ name: z.string(), version: z.int(), sha256: z.string() }).nullable(),
    message: object.nullable(),
    recorded: object,
  }),
)

/** Of the texts of a leg, as they were sealed together. Null for what no version of ours has sealed. */
export function readRuns(text: string): readonly KeptRun[] | null {
  try {
    return Runs.parse(parseJson(text))
  } catch {
    return null
  }
}
