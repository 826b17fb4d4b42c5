import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@gatehouse/sdk'
import type { Gateway } from '../domain/nouns.js'
import { isObject } from './message.js'

/** From a server's own URI to the one that clients know. */
export type ToPublicUri = (uri: string) => string

/** The mapping that changes nothing; known by identity, so that results are passed on untouched. */
export const sameUri: ToPublicUri = (uri) => uri

/** The public URIs that a resource or template would take, in order; the same law as for names. */
export function uriCandidates(mode: Gateway['prefix'], prefix: string, uri: string): string[] {
  if (mode === 'never') return [uri]
  const prefixed = prefixUri(prefix, uri)
  return mode === 'always' || isPrefixed(uri) ? [prefixed] : [uri, prefixed]
}

/** `gh+<prefix>+<original>`; within `ui` the scheme stays, as apps are known by it: `ui://<prefix>+<rest>`. */
export function prefixUri(prefix: string, uri: string): string {
  const mark = schemeSafe(prefix)
  return uri.startsWith('ui://') ? `ui://${mark}+${uri.slice('ui://'.length)}` : `gh+${mark}+${uri}`
}

/** Looks like one of ours. A server's own URI of this shape is never bare: it could pass for another server's. */
export function isPrefixed(uri: string): boolean {
  return PREFIXED.test(uri)
}
const PREFIXED = /^(?:gh\+|ui:\/\/)([A-Za-z0-9.-]+)\+/

/** Takes `prefixUri` apart. `mark` is compared with `schemeSafe(prefix)` of the gateway's assignments. */
export function unprefixUri(uri: string): { readonly mark: string; readonly uri: string } | null {
  const found = PREFIXED.exec(uri)
  if (found?.[1] === undefined) return null
  const rest = uri.slice(found[0].length)
  return { mark: found[1], uri: uri.startsWith('ui://') ? `ui://${rest}` : rest }
}

/** A prefix as it may stand in a URI scheme (RFC 3986, 3.1); what had to be changed is told apart by a hash. */
export function schemeSafe(prefix: string): string {
  if (/^[A-Za-z0-9.-]+$/.test(prefix)) return prefix
  const hash = createHash('sha256').update(prefix).digest('hex').slice(0, 8)
  return `${prefix.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${hash}`
}

/**
 * A server's result or the params of its notification with public URIs: `uri`, `contents`, resource links and embedded
 * resources in `content` and in the messages of a prompt. Returns the same object when nothing changes.
 */
export function publicResult(result: JsonObject, toPublic: ToPublicUri): JsonObject {
  if (toPublic === sameUri) return result
  return withChanges(result, {
    uri: mapString(result['uri'], toPublic),
    contents: mapItems(result['contents'], (item) => withUri(item, toPublic)),
    content: mapItems(result['content'], (block) => publicBlock(block, toPublic)),
    messages: mapItems(result['messages'], (message) => publicMessage(message, toPublic)),
  })
}

/** An entry of `tools/list` whose app points at a resource, in both spellings. The same object when nothing changes. */
export function publicTool(tool: JsonObject, toPublic: ToPublicUri): JsonObject {
  const meta = tool['_meta']
  if (toPublic === sameUri || !isObject(meta)) return tool
  const ui = meta['ui']
  const changed = withChanges(meta, {
    ui: isObject(ui) ? withChanges(ui, { resourceUri: mapString(ui['resourceUri'], toPublic) }) : ui,
    'ui/resourceUri': mapString(meta['ui/resourceUri'], toPublic),
  })
  return changed === meta ? tool : { ...tool, _meta: changed }
}

function publicMessage(message: JsonObject, toPublic: ToPublicUri): JsonObject {
  const content = message['content']
  const changed = isObject(content)
    ? publicBlock(content, toPublic)
    : mapItems(content, (block) => publicBlock(block, toPublic))
  return withChanges(message, { content: changed })
}

function publicBlock(block: JsonObject, toPublic: ToPublicUri): JsonObject {
  if (block['type'] === 'resource_link') return withUri(block, toPublic)
  if (block['type'] === 'tool_result') return publicResult(block, toPublic)
  const resource = block['resource']
  if (block['type'] !== 'resource' || !isObject(resource)) return block
  return withChanges(block, { resource: withUri(resource, toPublic) })
}

function withUri(item: JsonObject, toPublic: ToPublicUri): JsonObject {
  return withChanges(item, { uri: mapString(item['uri'], toPublic) })
}

function mapString(value: Json | undefined, toPublic: ToPublicUri): Json | undefined {
  return typeof value === 'string' ? toPublic(value) : value
}

function mapItems(value: Json | undefined, change: (item: JsonObject) => JsonObject): Json | undefined {
  if (!Array.isArray(value)) return value
  const items = value as readonly Json[]
  const mapped = items.map((item) => (isObject(item) ? change(item) : item))
  return mapped.some((item, at) => item !== items[at]) ? mapped : value
}

function withChanges(object: JsonObject, changes: JsonObject): JsonObject {
  const changed = Object.entries(changes).filter(([key, value]) => value !== object[key])
  return changed.length === 0 ? object : { ...object, ...Object.fromEntries(changed) }
}
