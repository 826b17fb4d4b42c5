import type { JsonObject } from '@gatehouse/sdk'
import { changedFields, hashesOf, pinHash, type FieldHashes } from './feature-hash.js'
import { admit, type Admission, type Exposure, type PinField } from './provisioning.js'

/** What is known of one feature of an assignment; see `FeatureRepository`. */
export interface Approval {
  /** Rises with every decision of a person. */
  readonly version: number
  /** Of the definition that is trusted; null while none is. */
  readonly hashes: FieldHashes | null
  /** Definitions (`pinHash` over everything) that are not let through, whatever else is said. */
  readonly refused: readonly string[]
}

export type Why =
  /** Let through. */
  | 'all'
  | 'selected'
  | 'approved'
  | 'kept'
  /** Not. */
  | 'none'
  | 'not_selected'
  | 'unrecorded'
  | 'unlooked'
  | 'pending'
  | 'changed'
  | 'refused'

export interface Judgement {
  readonly exposed: boolean
  readonly why: Why
  readonly admission: Admission | null
  /** Of what is pinned: the hash over everything of the definition as it is now. */
  readonly sha256: string | null
  readonly hashes: FieldHashes | null
  /** Of what changed: in which of the pinned parts. */
  readonly changed: readonly PinField[]
}

export interface Subject {
  readonly name: string
  readonly definition: JsonObject
  /** The key that names it. */
  readonly id: string
}

/**
 * Whether a feature exists on a gateway, as it is defined now. Pinned ones must be what was approved; one that nobody has
 * recorded yet waits until it is. Null as exposure: everything, but for what was refused by hash.
 */
export function judge(exposure: Exposure | null, subject: Subject, approval: Approval | undefined): Judgement {
  const { name, definition, id } = subject
  const admission = exposure === null ? null : admit(exposure, name, definition)
  if (exposure !== null && admission === null)
    return { ...NOTHING, exposed: false, why: exposure.mode === 'none' ? 'none' : 'not_selected' }
  const plain = exposure?.mode === 'selected' ? 'selected' : 'all'
  const pin = admission?.pin ?? null
  const isRefusable = approval !== undefined && approval.refused.length > 0
  if (pin === null && !isRefusable) return { ...NOTHING, exposed: true, why: plain, admission }
  const hashes = hashesOf(definition, id)
  const now = { admission, hashes, sha256: pinHash(name, hashes), changed: [] }
  if (approval?.refused.includes(now.sha256)) return { ...now, exposed: false, why: 'refused' }
  if (pin === null || exposure === null) return { ...now, exposed: true, why: plain }
  const isKept = exposure.pinning.onChange === 'alert'
  if (pin.sha256 !== undefined) {
    if (pinHash(name, hashes, pin.fields) === pin.sha256) return { ...now, exposed: true, why: 'approved' }
    const changed = approval?.hashes ? changedFields(approval.hashes, hashes, pin.fields) : pin.fields
    return {
      ...now,
      exposed: isKept,
      why: isKept ? 'kept' : 'changed',
      changed: changed.length > 0 ? changed : pin.fields,
    }
  }
  if (approval === undefined) return { ...now, exposed: false, why: 'unrecorded' }
  if (approval.hashes === null) return { ...now, exposed: false, why: 'pending' }
  const changed = changedFields(approval.hashes, hashes, pin.fields)
  if (changed.length === 0) return { ...now, exposed: true, why: 'approved' }
  return { ...now, changed, exposed: isKept, why: isKept ? 'kept' : 'changed' }
}

/** The same, held back where nothing may be shown that was not looked through. */
export function holdUnlooked(judgement: Judgement, exposure: Exposure | null, isLooked: boolean): Judgement {
  if (isLooked || !judgement.exposed || exposure === null || !exposure.isStrict) return judgement
  return { ...judgement, exposed: false, why: 'unlooked' }
}

const NOTHING = Object.freeze({ admission: null, sha256: null, hashes: null, changed: Object.freeze([]) })

/**
 * Finds the pinned feature that is gone and of which another one is the same under a new name: they say the same of themselves, or
 * take the same. A renamed feature that was changed a little as well is no less one.
 */
export function renamesOf(
  gone: Iterable<readonly [string, FieldHashes]>,
): (appeared: FieldHashes, definition: JsonObject) => string | null {
  const [byDescription, bySchema] = [new Map<string, string>(), new Map<string, string>()]
  for (const [name, { description, schema }] of gone) {
    if (description !== undefined && !byDescription.has(description)) byDescription.set(description, name)
    if (schema !== undefined && !bySchema.has(schema)) bySchema.set(schema, name)
  }
  return ({ description = '', schema = '' }, definition) =>
    byDescription.get(description) ?? (takesSomething(definition) ? bySchema.get(schema) : undefined) ?? null
}

/** Many features take nothing: that they have in common says nothing. */
function takesSomething({ inputSchema, arguments: given }: JsonObject): boolean {
  if (Array.isArray(given)) return given.length > 0
  const { properties } = (typeof inputSchema === 'object' && inputSchema !== null ? inputSchema : {}) as JsonObject
  return typeof properties === 'object' && properties !== null && Object.keys(properties).length > 0
}
