import { z } from 'zod'
import { ENTITIES } from './entities.js'

/** A rule's own keys. */
export const ruleConfig = z.strictObject({
  /** None: all of them. */
  entities: z.array(z.enum(ENTITIES)).max(ENTITIES.length).optional(),
  /** Findings of a lower score do not count. */
  threshold: z.number().min(0).max(1).default(0.2),
  /** Words that are taken as standing before every value, as `account` in front of a bare number. */
  context: z.array(z.string().trim().min(1).max(100)).max(50).optional(),
})
export type RuleConfig = z.infer<typeof ruleConfig>

export const pluginConfig = z
  .strictObject({
    /** Milliseconds that a worker may take for a message of ordinary size; longer ones get more. */
    workerDeadlineMs: z.number().int().min(50).max(20_000).default(2_000),
    workers: z.number().int().min(1).max(8).default(2),
  })
  .prefault({})
export type PluginConfig = z.infer<typeof pluginConfig>
