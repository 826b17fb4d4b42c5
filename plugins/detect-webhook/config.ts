import { z } from 'zod'

/** A rule of this engine has no keys of its own. */
export const ruleConfig = z.strictObject({})

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Of one connection, or said by the gateway itself. */
const OURS =
  /^(?:host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-.*|accept-encoding|gatehouse-.*)$/i
/** What opens doors is told to nobody, whatever the list says. The gateway keeps more of its like to itself. */
const CREDENTIAL = /^(?:authorization|cookie|set-cookie|proxy-.*)$/i

const headerName = z
  .string()
  .max(100)
  .regex(NAME, 'is not a header name')
  .refine((name) => !OURS.test(name), 'is set by the gateway')

const isDistinct = (names: readonly string[]) => new Set(names.map((name) => name.toLowerCase())).size === names.length

const url = z
  .url({ protocol: /^https?$/, error: 'must be an https URL' })
  .max(2_048)
  .refine(
    (text) => !URL.canParse(text) || !hasLogin(new URL(text)),
    'must not carry a user name or password: use `headers`',
  )
  .refine((text) => !text.includes('#'), 'must not have a fragment')

const hasLogin = ({ username, password }: URL) => username !== '' || password !== ''

/** One engine, as it is registered. */
export const Instance = z.strictObject({
  /** https; plain http only where the operator's GATEHOUSE_EGRESS_ALLOW lists the host. Looked at anew at every call. */
  url,
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST'),
  /** Sent with every request. */
  headers: z
    .record(headerName, z.string().max(8_192).regex(VALUE, 'is not a header value'))
    .refine((headers) => Object.keys(headers).length <= 20, 'has more than 20 headers')
    .refine((headers) => isDistinct(Object.keys(headers)), 'names a header twice')
    .default({}),
  /** Headers of the client's request that are sent on. One of `headers` with the same name wins. */
  forwardHeaders: z
    .array(headerName.refine((name) => !CREDENTIAL.test(name), 'is a credential, and those are never sent on'))
    .max(20)
    .refine(isDistinct, 'names a header twice')
    .default([]),
  /** Signs every request (`Gatehouse-Signature`). */
  secret: z.string().min(16).max(1_000).optional(),
  /** Milliseconds for all attempts together; never more than the gateway's own limit for engines. */
  timeoutMs: z.number().int().min(100).max(30_000).default(30_000),
})
export type Instance = z.infer<typeof Instance>
