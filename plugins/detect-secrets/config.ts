import { PATTERNS } from '@gatehouse/sdk/patterns'
import { z } from 'zod'

/** What is found by how it is named and how random it is, beside the patterns of the library. */
export const ASSIGNMENT = 'secret-assignment'
export const SECRETS = PATTERNS.filter(({ group }) => group === 'secrets')
const IDS: readonly string[] = [...SECRETS.map(({ id }) => id), ASSIGNMENT]

const ids = z.array(z.enum(IDS)).min(1).max(IDS.length)

/** A rule's own keys. */
export const ruleConfig = z
  .strictObject({
    /** Looks for these alone. */
    only: ids.optional(),
    /** Looks for all but these. */
    except: ids.optional(),
    /** Whether values are found that stand behind a name such as `password` and look like it. */
    entropy: z.boolean().default(true),
    /** Bits for each sign that such a value has at least; four fifths of it when it is hexadecimal. */
    minEntropy: z.number().min(1).max(6).default(3.2),
  })
  .refine(({ only, except }) => only === undefined || except === undefined, {
    message: 'say `only` or `except`, not both',
    path: ['except'],
  })
export type RuleConfig = z.infer<typeof ruleConfig>
