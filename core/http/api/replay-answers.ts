import { z } from 'zod'

const counts = z.object({
  pass: z.int(),
  block: z.int(),
  modify: z.int(),
  detect: z.int(),
  undecided: z.int().describe('its engine could not decide; onFailure would'),
})
const missing = z.int().optional()
const Report = z.object({
  messages: z.int().describe('of features, in the period'),
  covered: z.int().describe('messages that the rules look at'),
  inputs: z.object({
    original: z.int().describe('legs that were kept sealed, as they were before any rule'),
    redacted: z.int().describe('legs of which only what the rules of that day left is kept'),
  }),
  notKept: z.object({
    not_captured: missing.describe('the gateway kept no bodies, or they are gone'),
    blocked: missing.describe('a rule blocked it then, and no original was kept'),
    too_long: missing.describe('longer than settings.limits.bodyInLog'),
    not_permitted: missing.describe('only a sealed original is kept; needs viewMessageBodies'),
    unreadable: missing.describe('the key of its day is gone, or it is damaged'),
  }),
  outcomes: counts.describe('what would have become of the legs'),
  rules: z.array(
    z.object({
      name: z.string(),
      engine: z.string(),
      counts,
      findings: z.record(z.string(), z.int()),
      ms: z.number(),
    }),
  ),
  features: z.array(z.object({ server: z.string(), kind: z.string(), feature: z.string(), counts })),
  users: z.int().describe('people whose messages a rule would have acted on'),
  stoppedBy: z.string().nullable().describe('messages, time or cancel; null: the whole period was read'),
  durationMs: z.int(),
})
const text = z.string().nullable()

export const ReplayAnswer = z.object({
  id: z.string(),
  state: z.string().describe('queued, running, done, cancelled or failed'),
  reason: text.describe('why it failed'),
  gateway: z.string(),
  rules: z.array(z.string()).describe('their names'),
  since: z.string(),
  until: z.string(),
  createdAt: z.string(),
  startedAt: text,
  finishedAt: text,
  progress: z.object({ read: z.int(), total: z.int().nullable() }),
  report: Report.nullable().describe('partial while it runs'),
  samples: z.array(
    z.object({
      correlationId: z.string(),
      at: z.string(),
      leg: z.string(),
      server: z.string(),
      feature: z.string(),
      rule: z.string(),
      verdict: z.string(),
      input: z.string().describe('original or redacted'),
      before: text.describe('an excerpt; null without viewMessageBodies'),
      after: text,
    }),
  ),
})
