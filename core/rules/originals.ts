import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { z } from 'zod'
import { parseJson, writeJson } from '../mcp/json.js'

/** What a message was about when rules looked at it, and what it said: all that is needed to look at it again. */
export interface Original {
  readonly prefix: string
  readonly serverSlug: string
  readonly serverId: string
  readonly kind: FeatureKind
  readonly shape?: FeatureKind
  readonly feature: string
  readonly message: JsonObject
}

type About = Omit<Original, 'serverId' | 'message'>

/** One line of JSON, for sealing. */
export function originalText(about: About, serverId: string, message: JsonObject): string {
  const { prefix, serverSlug, kind, shape, feature } = about
  return writeJson({ prefix, serverSlug, serverId, kind, shape, feature, message })
}

const kind = z.enum(['tool', 'prompt', 'resource'])
const Original = z.object({
  prefix: z.string(),
  serverSlug: z.string(),
  serverId: z.string(),
  kind,
  shape: kind.optional(),
  feature: z.string(),
  message: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
})

/** Null for what no version of ours has sealed. */
export function readOriginal(text: string): Original | null {
  try {
    const { shape, ...rest } = Original.parse(parseJson(text))
    return shape === undefined ? rest : { ...rest, shape }
  } catch {
    return null
  }
}
