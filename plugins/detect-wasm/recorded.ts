import type { EvaluateRequest } from '@gatehouse/sdk'
import { z } from 'zod'
import type { Facts } from './inputs.js'
import type { Question } from './evaluate.js'
import { whatRuns } from './evidence.js'
import type { Prepared } from './shelf.js'

/** A key may be called like what every object has: a record of zod's leaves `__proto__` out. */
const Reads = z.custom<Readonly<Record<string, string | null>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => text === null || typeof text === 'string'),
)
const number = z.number().int().min(1)
const Recorded = z.object({
  input: z.custom<Facts>((value) => typeof value === 'object' && value !== null && 'call' in value),
  config: z.record(z.string(), z.string()),
  limits: z.object({
    moduleBytes: number,
    inputBytes: number,
    outputBytes: number,
    memoryPages: number,
    fuel: number,
    deadlineMs: number,
    killMs: number,
  }),
  kv: Reads,
  module: z.object({ name: z.string(), version: z.number(), sha256: z.string() }),
})

/**
 * The question that a verdict answered, with all that the rule saw then: its configuration, its limits, what it read. Undecided when it
 * is another module by now, for its answer would be another's.
 */
export function questionThen(request: EvaluateRequest, rule: Prepared, key: number): Question | string {
  const parsed = Recorded.safeParse(request.recorded)
  if (!parsed.success) return 'what was recorded cannot be read'
  const { input, config, limits, kv, module: then } = parsed.data
  const { module } = rule.build
  if (then.sha256 !== module.sha256) return 'the module is another one than then'
  if (limits.memoryPages !== module.limits.memoryPages) return 'the module may use another amount of memory than then'
  const runs = {
    build: { module: { ...module, limits }, release() {} },
    held: { module: { ...module, limits }, config },
    artifact: { name: then.name, version: then.version },
  }
  const again: Prepared = { ...rule, ...runs, key, evidence: whatRuns(runs) }
  const stored = new Map(Object.entries(kv).filter((entry): entry is [string, string] => entry[1] !== null))
  return { request, facts: input, turns: [{ rule: again, action: rule.action, shadow: false }], stored }
}
