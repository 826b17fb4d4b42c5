import type { JsonObject } from '@gatehouse/sdk'
import { isObject } from '../mcp/message.js'

/**
 * What becomes of a note that cannot leave at once: `newest` says how things stand, so that the last of its name tells
 * everything; `drop` may be missed; `keep` is worth its place.
 */
export type Slot = { readonly kind: 'newest'; readonly name: string } | { readonly kind: 'drop' | 'keep' }

export function slotOf({ method, params }: JsonObject): Slot {
  const given = isObject(params) ? params : {}
  switch (method) {
    case 'notifications/progress':
      return { kind: 'newest', name: `progress ${JSON.stringify(given.progressToken)}` }
    case 'notifications/resources/updated':
      return { kind: 'newest', name: `updated ${String(given.uri)}` }
    case 'notifications/tools/list_changed':
    case 'notifications/prompts/list_changed':
    case 'notifications/resources/list_changed':
      return { kind: 'newest', name: method }
    case 'notifications/message':
      return { kind: 'drop' }
    default:
      return { kind: 'keep' }
  }
}
