import type { FeatureKind, JsonObject, Leaf } from '@gatehouse/sdk'
import { withDigits } from '../mcp/json.js'
import { isNameOfParams, isPayload, isSealedState, visit } from './shape.js'
import type { Leg } from './shape.js'

/** The texts of one message, walked once for all rules. */
export interface Leaves {
  /** What may be rewritten. */
  readonly values: readonly Leaf[]
  /** The values, then the keys; made when first asked for. */
  apart(): readonly Leaf[]
  /** The same, then the message as one text; made when first asked for. */
  all(): readonly Leaf[]
}

export function walk(message: JsonObject, leg: Leg, kind: FeatureKind): Leaves {
  const values: Leaf[] = []
  const keys: Leaf[] = []
  visit(message, leg, kind, {
    value(text) {
      values.push({ kind: 'value', text })
      return text
    },
    key(text) {
      keys.push({ kind: 'key', text })
    },
  })
  let apart: readonly Leaf[] | undefined
  let all: readonly Leaf[] | undefined
  const eachApart = () => (apart ??= [...values, ...keys])
  return { values, apart: eachApart, all: () => (all ??= [...eachApart(), whole(message, leg, kind)]) }
}

/** Only what rules may see: ids and names of the protocol cannot make a match, nor a sealed state. Base64 is left out. */
function whole(message: JsonObject, leg: Leg, kind: FeatureKind): Leaf {
  const seen = leg === 'response' ? unsealed(message) : kind === 'resource' ? message : pick(message, kind)
  return { kind: 'whole', text: withDigits(JSON.stringify(seen, withoutPayload)) }
}

const pick = (params: JsonObject, kind: FeatureKind): JsonObject =>
  Object.fromEntries(
    Object.entries(params).filter(([key, value]) => key !== '_meta' && !isNameOfParams(key, value, kind)),
  )
const unsealed = (result: JsonObject): JsonObject =>
  isSealedState(result, 'requestState') ? { ...result, requestState: undefined } : result
const withoutPayload = (key: string, value: unknown) => (isPayload(key, value) ? undefined : value)

/** The message with the named values (by their place in `values`) replaced; everything else keeps its identity. */
export function rewrite(
  message: JsonObject,
  leg: Leg,
  kind: FeatureKind,
  changed: ReadonlyMap<number, string>,
): JsonObject {
  let index = -1
  return visit(message, leg, kind, {
    value(text) {
      index += 1
      return changed.get(index) ?? text
    },
    key() {},
  })
}
