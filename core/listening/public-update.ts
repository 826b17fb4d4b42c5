import type { JsonObject } from '@gatehouse/sdk'
import { withoutEnvelope } from '../mcp/translate.js'
import type { ToPublicUri } from '../mcp/uris.js'
import type { Update } from './seat.js'

/**
 * The params of an update as its listener knows them. `ruled` is what the rules left of the server's: a URI that they changed
 * stays as they made it.
 */
export function publicUpdate({ name, uri, params }: Update, ruled: JsonObject, toPublic: ToPublicUri): JsonObject {
  const own = params.uri
  const shown = own === name ? uri : typeof own === 'string' ? toPublic(own) : undefined
  const isAsItCame = ruled.uri === own && shown !== undefined
  return withoutEnvelope(isAsItCame ? { ...ruled, uri: shown } : ruled)
}
