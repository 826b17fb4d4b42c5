import { PATTERN_GROUPS, PATTERNS } from '@gatehouse/sdk/patterns'
import { z } from 'zod'

const READY: readonly string[] = [...PATTERN_GROUPS, ...PATTERNS.map(({ id }) => id)]

/** A rule's own keys. */
export const ruleConfig = z
  .strictObject({
    patterns: z.array(z.string().min(1).max(10_000)).min(1).max(100).optional(),
    /** Ready patterns, by their ids or by their groups. */
    library: z.array(z.enum(READY)).min(1).max(READY.length).optional(),
  })
  .refine(({ patterns, library }) => patterns !== undefined || library !== undefined, {
    message: 'name patterns of your own in `patterns`, or ready ones in `library`',
    path: ['patterns'],
  })

export const pluginConfig = z
  .strictObject({
    /** Milliseconds that one pattern may take for a message of ordinary size in a worker; longer texts get more. */
    workerDeadlineMs: z.number().int().min(10).max(10_000).default(250),
    workers: z.number().int().min(1).max(8).default(2),
  })
  .prefault({})
export type PluginConfig = z.infer<typeof pluginConfig>
