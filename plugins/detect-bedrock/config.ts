import { z } from 'zod'

const ARN = /^arn:(aws(?:-[^:]+)?):bedrock:([a-z0-9-]{1,20}):\d{12}:guardrail\/[a-z0-9]+$/
const ID = /^[a-z0-9]+$/

const VERSION = "must be a version's number, in quotes, or DRAFT"

/** One guardrail, as it is registered. */
export const Instance = z
  .strictObject({
    /** The guardrail's ARN, or its id together with `region`. */
    guardrail: z
      .string()
      .max(2_048)
      .refine((text) => ARN.test(text) || ID.test(text), 'is neither the ARN nor the id of a guardrail'),
    /** A version's number, or the working draft. */
    guardrailVersion: z.string({ error: VERSION }).regex(/^(?:[1-9]\d{0,7}|DRAFT)$/, VERSION),
    /** Told by an ARN. */
    region: z
      .string()
      .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'is not a region of AWS')
      .optional(),
    /** In place of the region's own address: a private endpoint. */
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_048)
      .optional(),
    /** A Bedrock API key, sent as a bearer token. In its place, keys of AWS that sign each request: */
    apiKey: z.string().min(1).max(4_096).optional(),
    accessKeyId: z.string().min(1).max(256).optional(),
    secretAccessKey: z.string().min(1).max(256).optional(),
    sessionToken: z.string().min(1).max(8_192).optional(),
  })
  .refine(({ guardrail, region }) => region !== undefined || ARN.test(guardrail), {
    message: 'say the region, or name the guardrail by its ARN',
    path: ['region'],
  })
  .refine(({ guardrail, region }) => region === undefined || (ARN.exec(guardrail)?.[2] ?? region) === region, {
    message: 'is another region than that of the ARN',
    path: ['region'],
  })
  .refine(({ apiKey, accessKeyId, secretAccessKey }) => {
    const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined
    const hasAny = accessKeyId !== undefined || secretAccessKey !== undefined
    return apiKey === undefined ? hasKeys : !hasAny
  }, 'give either `apiKey` or both `accessKeyId` and `secretAccessKey`')
export type Instance = z.infer<typeof Instance>

export const regionOf = ({ guardrail, region }: Instance): string => ARN.exec(guardrail)?.[2] ?? region ?? ''

/** Where the guardrail is applied (Amazon Bedrock Runtime API, ApplyGuardrail). */
export function urlOf(instance: Instance): string {
  const { guardrail, guardrailVersion, url } = instance
  const domain = ARN.exec(guardrail)?.[1] === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'
  const base = url?.replace(/\/+$/, '') ?? `https://bedrock-runtime.${regionOf(instance)}.${domain}`
  return `${base}/guardrail/${encodeURIComponent(guardrail)}/version/${guardrailVersion}/apply`
}
