import { availableParallelism } from 'node:os'
import { RULE_GRANT_LIMITS, RULE_LIMITS } from '@gatehouse/sdk/rule-abi'
import { z } from 'zod'

const least = (most: number) => z.number().int().min(1).max(most).optional()

/** Limits that somebody may lower, and never raise. */
const runningLimits = {
  inputBytes: least(RULE_LIMITS.inputBytes),
  outputBytes: least(RULE_LIMITS.outputBytes),
  memoryPages: least(RULE_GRANT_LIMITS.memoryPages),
  fuel: least(RULE_GRANT_LIMITS.fuel),
  deadlineMs: least(RULE_LIMITS.deadlineMs),
  killMs: least(RULE_LIMITS.killMs),
}

/** The keys that a rule of this engine adds. */
export const ruleConfig = z.strictObject({
  /** An artifact: its name, `name@3`, `name@sha256:<hex>`; in the operator's file a path too. */
  module: z.string().min(1).max(1_000),
  config: z.record(z.string().min(1).max(200), z.string().max(RULE_LIMITS.configValueBytes)).optional(),
  limits: z.strictObject(runningLimits).optional(),
})
export type RuleConfig = z.infer<typeof ruleConfig>

export const pluginConfig = z
  .strictObject({
    /** Messages that are looked at at the same time; one thread more stands ready to take over. */
    workers: z
      .number()
      .int()
      .min(1)
      .max(32)
      .default(Math.min(32, Math.max(2, availableParallelism()))),
    /**
     * So many milliseconds the gateway's thread does not sleep behind a message that it gave, and a thread of rules behind one that it
     * answered while they come that fast: waking up takes longer than most rules. 0: they sleep.
     */
    awakeMs: z.number().min(0).max(5).default(1),
    /** What rules may use at most, below what all may. */
    ceilings: z.strictObject({ ...runningLimits, moduleBytes: least(RULE_GRANT_LIMITS.moduleBytes) }).prefault({}),
  })
  .prefault({})
export type PluginConfig = z.infer<typeof pluginConfig>
