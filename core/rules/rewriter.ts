import type { EvaluateRequest, FeatureKind, JsonObject } from '@gatehouse/sdk'
import { CHANGEABLE } from './answers.js'
import { rewrite } from './leaves.js'
import type { Leg } from './shape.js'

/**
 * What an engine makes a changed message with. Throws when a text outside of what it may change was to change (`_meta` of a call):
 * that would stay as it was, and nobody would know.
 */
export function rewriterOf(message: JsonObject, leg: Leg, kind: FeatureKind): EvaluateRequest['rewrite'] {
  return (texts) => {
    const changed = rewrite(message, leg, kind, texts)
    const isKept = (key: string) => CHANGEABLE.has(key) || changed[key] === message[key]
    if (leg === 'request' && !Object.keys(changed).every(isKept)) {
      throw new TypeError('a text outside of the arguments cannot be changed')
    }
    return changed
  }
}
