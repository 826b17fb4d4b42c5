import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@gatehouse/sdk'
import { canonicalJson } from './canonical-json.js'
import { PIN_FIELDS, type PinField } from './provisioning.js'

/** SHA-256 (hex) of each part of a definition that a model may read; a part that is absent has none, unlike an empty one. */
export type FieldHashes = Readonly<Partial<Record<PinField, string>>>

/** Which keys of a definition belong to which part; what is named nowhere is `other`. */
const KEYS: Readonly<Record<string, PinField>> = Object.freeze({
  title: 'title',
  description: 'description',
  inputSchema: 'schema',
  outputSchema: 'schema',
  arguments: 'schema',
  annotations: 'annotations',
  icons: 'icons',
  _meta: 'meta',
})

/** The parts of a definition. `id` is the key that names it, which is matched by itself and stands in no part. */
export function partsOf(definition: JsonObject, id: string): Readonly<Partial<Record<PinField, JsonObject>>> {
  const parts: Partial<Record<PinField, Record<string, Json>>> = {}
  for (const [key, value] of Object.entries(definition)) {
    if (key === id || value === undefined) continue
    // A resource is named by its URI; what it is called besides is a title.
    const part = key === 'name' ? 'title' : (Object.hasOwn(KEYS, key) && KEYS[key]) || 'other'
    if (isOfContent(key, value)) continue
    parts[part] = { ...parts[part], [key]: key === 'annotations' ? lasting(value) : value }
  }
  return parts as Readonly<Partial<Record<PinField, JsonObject>>>
}

export function hashesOf(definition: JsonObject, id: string): FieldHashes {
  const parts = partsOf(definition, id)
  return Object.fromEntries(
    PIN_FIELDS.flatMap((field) => (parts[field] === undefined ? [] : [[field, sha256(canonicalJson(parts[field]))]])),
  )
}

/** One hash over the name and these parts: what a pin says, and what is approved. */
export function pinHash(name: string, hashes: FieldHashes, fields: readonly PinField[] = PIN_FIELDS): string {
  const chosen = Object.fromEntries(fields.flatMap((field) => (hashes[field] ? [[field, hashes[field]]] : [])))
  return sha256(canonicalJson({ name, fields: chosen }))
}

/** The parts in which two definitions differ, of those that count. */
export function changedFields(one: FieldHashes, other: FieldHashes, fields: readonly PinField[]): readonly PinField[] {
  return fields.filter((field) => one[field] !== other[field])
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** How large a resource is and when it was written changes with its content, and says nothing of what it is for. */
const isOfContent = (key: string, value: Json): boolean => key === 'size' && typeof value === 'number'

function lasting(annotations: Json): Json {
  if (typeof annotations !== 'object' || annotations === null || Array.isArray(annotations)) return annotations
  const { lastModified, ...rest } = annotations as JsonObject
  const isTime = typeof lastModified === 'string' && ISO_TIME.test(lastModified)
  return isTime ? rest : annotations
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/
