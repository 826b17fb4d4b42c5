import { z } from 'zod'

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Of one connection, or said by the gateway itself. */
const OURS =
  /^(?:host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding)$/i

const headers = z
  .record(
    z
      .string()
      .max(100)
      .regex(NAME, 'is not a header name')
      .refine((name) => !OURS.test(name), 'is set by the gateway'),
    z.string().max(8_192).regex(VALUE, 'is not a header value'),
  )
  .refine((given) => Object.keys(given).length <= 20, 'has more than 20 headers')

const url = z
  .url({
    protocol: /^https?$/,
    error: 'must be the address of a Presidio analyzer, such as https://presidio.example.com',
  })
  .max(2_048)
  .refine((text) => !/[?#]/.test(text), 'must not have a query or a fragment')
  .refine((text) => !URL.canParse(text) || new URL(text).username === '', 'must not carry a user name: use `headers`')

const language = z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?$/, 'must be a code such as en')

/** One analyzer, as it is registered. */
export const Instance = z.strictObject({
  /** https; plain http only where the operator's GATEHOUSE_EGRESS_ALLOW lists the host. */
  url,
  /** Sent with every request, for a proxy that asks for a key. */
  headers: headers.default({}),
  /** What the texts are taken for, unless a rule says otherwise. */
  language: language.default('en'),
  /** Milliseconds for all attempts together; never more than the gateway's own limit for engines. */
  timeoutMs: z.number().int().min(100).max(30_000).default(30_000),
})
export type Instance = z.infer<typeof Instance>

/** A rule's own keys. Entities are the analyzer's: it may have recognisers of its own. */
export const ruleConfig = z.strictObject({
  /** None: all that the analyzer knows. */
  entities: z
    .array(z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'must be an entity such as EMAIL_ADDRESS'))
    .max(100)
    .optional(),
  /** Findings of a lower score do not count. */
  threshold: z.number().min(0).max(1).default(0.2),
  language: language.optional(),
})
export type RuleConfig = z.infer<typeof ruleConfig>
