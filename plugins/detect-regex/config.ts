import { z } from 'zod'

/** A rule's own keys. */
export const ruleConfig = z.strictObject({
  patterns: z.array(z.string().min(1).max(10_000)).min(1).max(100),
})

export const pluginConfig = z
  .strictObject({
    /** Milliseconds that one pattern may take for a message of ordinary size in a worker; longer texts get more. */
    workerDeadlineMs: z.number().int().min(10).max(10_000).default(250),
    workers: z.number().int().min(1).max(8).default(2),
  })
  .prefault({})
export type PluginConfig = z.infer<typeof pluginConfig>
