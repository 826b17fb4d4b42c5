import type { JsonObject } from '@gatehouse/sdk'

/**
 * What a server is told that its client can do: the capabilities that the gateway relays for a call. Interned: two
 * abilities of one key are the same object.
 */
export interface Ability {
  /** Canonical; empty for a client that can do nothing. */
  readonly key: string
  readonly capabilities: JsonObject
}

export const NO_ABILITY: Ability = Object.freeze({ key: '', capabilities: Object.freeze({}) })

/** How connections and lists of one server are told apart: as whom it is called, and for what sort of client. */
export function slotKey({ key, ability }: { readonly key: string; readonly ability: Ability }): string {
  return ability.key === '' ? key : `${key} ${ability.key}`
}
