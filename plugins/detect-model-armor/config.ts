import { z } from 'zod'

const TEMPLATE = /^projects\/[a-z0-9][a-z0-9.:-]*\/locations\/([a-z0-9-]+)\/templates\/[A-Za-z0-9_-]+$/

/** What counts of a service account's key, as Google Cloud gives it out in a JSON file. */
const Key = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().includes('PRIVATE KEY'),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https?$/ }).default('https://oauth2.googleapis.com/token'),
})
export type Key = z.infer<typeof Key>

/** One template of Model Armor, as it is registered. */
export const Instance = z.strictObject({
  template: z.string().max(512).regex(TEMPLATE, 'must be projects/…/locations/…/templates/…'),
  /** The whole JSON file of the service account's key, as text. */
  serviceAccount: z
    .string()
    .max(16_384)
    .refine((text) => readKey(text) !== null, "is not the JSON of a service account's key"),
  /** In place of the location's own address: a private endpoint. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .optional(),
})
export type Instance = z.infer<typeof Instance>

export function readKey(text: string): Key | null {
  try {
    return Key.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/** Prompts and responses are sanitized at regional endpoints only (Model Armor, "Sanitize prompts and responses"). */
export function urlOf({ template, url }: Instance, leg: 'request' | 'response'): string {
  const location = TEMPLATE.exec(template)?.[1] ?? ''
  const base = url?.replace(/\/+$/, '') ?? `https://modelarmor.${location}.rep.googleapis.com`
  return `${base}/v1/${template}:${leg === 'request' ? 'sanitizeUserPrompt' : 'sanitizeModelResponse'}`
}
