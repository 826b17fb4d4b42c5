import type { Era, Json, JsonObject } from '@gatehouse/sdk'
import type { ListKind } from '../domain/store.js'
import { paramHeadersOf } from '../mcp/param-headers.js'
import { LISTS } from './catalog-types.js'
import type { CatalogLog, ListShape } from './catalog-types.js'
import { brokenProtocol, fault } from './faults.js'
import { isObject, isShowable } from './message.js'
import type { ServerInfos } from './server-infos.js'
import type { ServerInfo, Target, UpstreamReply, Upstreams } from './types.js'

const MOST_PAGES = 100
const MOST_ENTRIES = 10_000
const MOST_BYTES = 64 * 1024 * 1024
const LONGEST_NAME = 4_096
const DEFAULT_TTL = 60_000
const LONGEST_TTL = 86_400_000
const METHOD_NOT_FOUND = -32601

/** One server's list, whole. */
export interface ReadList {
  /** Null when it was read before a restart. */
  readonly era: Era | null
  readonly entries: readonly JsonObject[]
  /** How long it may be kept, and how long a client may be told that it holds. */
  readonly ttlMs: number
  readonly promisedMs: number
  readonly scope: 'public' | 'private'
  readonly bytes: number
  /** What had to be left out, as a sentence; null when nothing was. */
  readonly flaw: string | null
}

export interface ReadOptions {
  readonly upstreams: Pick<Upstreams, 'request'>
  readonly infos: Pick<ServerInfos, 'ask'>
  readonly log: CatalogLog
  readonly deadline: number
  readonly signal: AbortSignal
}

/**
 * Reads all pages of a list. A server without the capability is not asked and has an empty list. A cursor that comes back
 * ends the walk, and so do the caps. What is no list at all throws GH_UPSTREAM_PROTOCOL.
 */
export async function readList(target: Target, kind: ListKind, options: ReadOptions): Promise<ReadList> {
  const shape = LISTS[kind]
  const info = await options.infos.ask(target, options.deadline)
  if (!isObject(info.capabilities[shape.capability])) return emptyList(info, shape)
  const { results, bytes, cut } = await drain(target, shape, options)
  if (results === null) return emptyList(info, shape)
  const pages = results.map((result) => entriesOf(result, target, shape))
  const named = keepNamed(pages.flat(), shape)
  const entries = shape.name === 'tool' ? named.kept.filter(isCallable) : named.kept
  const invalid = named.kept.length - entries.length
  if (invalid > 0 || named.dropped > 0 || cut)
    options.log.warn(
      { server: target.server.slug, kind, invalid, unnamed: named.dropped, cut },
      'list entries left out',
    )
  return { era: info.era, entries, bytes, flaw: flawOf(named.dropped, cut), ...lifetime(info, results, shape) }
}

async function drain(
  target: Target,
  shape: ListShape,
  options: ReadOptions,
): Promise<{ results: JsonObject[] | null; bytes: number; cut: boolean }> {
  const results: JsonObject[] = []
  const seen = new Set<string>()
  let [bytes, entries, cursor] = [0, 0, null as string | null]
  for (;;) {
    const reply = await requestPage(target, shape, cursor, options)
    bytes += reply.bytesReceived
    if (reply.error?.code === METHOD_NOT_FOUND && results.length === 0) return { results: null, bytes, cut: false }
    const result = resultOf(reply, target, shape)
    results.push(result)
    const page = result[shape.field]
    entries += Array.isArray(page) ? page.length : 0
    const next = result.nextCursor
    if (typeof next !== 'string' || seen.has(next)) return { results, bytes, cut: entries > MOST_ENTRIES }
    if (results.length >= MOST_PAGES || entries >= MOST_ENTRIES || bytes >= MOST_BYTES)
      return { results, bytes, cut: true }
    seen.add(next)
    cursor = next
  }
}

function requestPage(
  target: Target,
  shape: ListShape,
  cursor: string | null,
  options: ReadOptions,
): Promise<UpstreamReply> {
  const { deadline, signal } = options
  const params: JsonObject = cursor === null ? {} : { cursor }
  return options.upstreams.request(target, { method: shape.method, params, deadline, signal })
}

function resultOf(reply: UpstreamReply, target: Target, shape: ListShape): JsonObject {
  if (reply.result !== null) return reply.result
  throw fault('GH_UPSTREAM_PROTOCOL', target.server.slug, `answered ${shape.method} with error ${reply.error?.code}`)
}

function entriesOf(result: JsonObject, target: Target, shape: ListShape): readonly Json[] {
  const entries = result[shape.field]
  if (Array.isArray(entries)) return entries as readonly Json[]
  throw brokenProtocol(target.server.slug, `a result of ${shape.method} without a list`)
}

/** The first of each name, in order, up to the cap. */
function keepNamed(entries: readonly Json[], shape: ListShape): { kept: readonly JsonObject[]; dropped: number } {
  const within = entries.slice(0, MOST_ENTRIES)
  const kept = new Map<string, JsonObject>()
  for (const entry of within) {
    const id = isObject(entry) ? entry[shape.id] : undefined
    if (isObject(entry) && isName(id) && !kept.has(id) && isShowable(entry)) kept.set(id, entry)
  }
  return { kept: [...kept.values()], dropped: within.length - kept.size }
}

/** What no database can keep has no public name, and must not stand in the way of those that have. */
function isName(id: Json | undefined): id is string {
  return typeof id === 'string' && id !== '' && id.length <= LONGEST_NAME && !/\0|\p{Surrogate}/u.test(id)
}

/** A client must refuse a tool whose arguments cannot be mirrored as it demands, so it is not offered at all. */
function isCallable(tool: JsonObject): boolean {
  return paramHeadersOf(tool) !== null
}

function flawOf(dropped: number, cut: boolean): string | null {
  if (dropped > 0) return `${dropped} entries without a name of their own, or nested beyond reason, were left out`
  return cut ? 'the list is too long and was cut' : null
}

function emptyList(info: ServerInfo, shape: ListShape): ReadList {
  return { era: info.era, entries: [], bytes: 0, flaw: null, ...lifetime(info, [], shape) }
}

/** A legacy server promises nothing: its list is kept a minute, and clients are told so only if it announces changes. */
function lifetime(
  info: ServerInfo,
  results: readonly JsonObject[],
  shape: ListShape,
): Pick<ReadList, 'ttlMs' | 'promisedMs' | 'scope'> {
  if (info.era === 'modern') {
    const ttlMs = results.length === 0 ? DEFAULT_TTL : Math.min(...results.map(ttlOf))
    const isPublic = results.length > 0 && results.every((result) => result.cacheScope === 'public')
    return { ttlMs, promisedMs: ttlMs, scope: isPublic ? 'public' : 'private' }
  }
  const capability = info.capabilities[shape.capability]
  const announces = isObject(capability) ? capability.listChanged === true : results.length === 0
  return { ttlMs: DEFAULT_TTL, promisedMs: announces ? DEFAULT_TTL : 0, scope: 'private' }
}

function ttlOf(result: JsonObject): number {
  const { ttlMs } = result
  if (typeof ttlMs !== 'number' || !Number.isFinite(ttlMs)) return DEFAULT_TTL
  return Math.min(LONGEST_TTL, Math.max(0, ttlMs))
}
