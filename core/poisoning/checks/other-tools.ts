import { excerpt } from '../excerpt.js'
import type { Hit } from '../hits.js'
import type { Idea } from '../lexicon.js'
import { plainOf } from '../plain.js'
import type { Finding, ReadText, Subject } from '../types.js'

const NAME = /[\p{L}\p{N}][\p{L}\p{N}_.-]{2,127}/gu
const OTHERS =
  /\b(?:tools? of (?:other|another) servers?|(?:of|from) the other server|(?:any|every|all) other (?:mcp )?(?:server|e-?mail tool|tool)|other tools: )/
/** Orders for when another tool is there; only with an address or a recipient are they more than a hint. */
const WHEN_THERE =
  /\b(?:if|when|whenever|once|as long as|should)\b[^.]{0,40}\btools?\b[^.]{0,40}\b(?:is|are|be|been) (?:there|available|present|connected|around|in use|used|installed|called|invoked)\b/
const ORDERS: ReadonlySet<Idea> = new Set(['order', 'moment', 'favour', 'give', 'redirect', 'account', 'take', 'deed'])
/** An order stands so near to the name that it is about. */
const NEAR = 160
/** Names have fewer words; bounds what is kept of one that is nothing but underscores. */
const MOST_PARTS = 16

/** Mentions of what another server shows: how that is used is not this server's to say. */
export function checkOtherTools(texts: readonly ReadText[], { neighbours, siblings }: Subject): readonly Finding[] {
  if (texts.every(({ role }) => role !== 'prose')) return []
  const own = ownNames(siblings)
  const foreign = (name: string) => neighbours.telling.has(name) && !own.has(name)
  return texts.flatMap((text): Finding[] => {
    if (text.role !== 'prose') return []
    const named = [...text.said.matchAll(NAME)].find(([name]) => foreign(trimmed(name)))
    if (named === undefined) return byTheWay(text)
    const severity = isOrdered(text.hits, named.index) ? 'high' : 'medium'
    return [{ field: text.path, severity, explanation: `speaks of ${excerpt(trimmed(named[0]))} of another server` }]
  })
}

const known = new WeakMap<Subject['siblings'], ReadonlySet<string>>()

/** Made once for all that is scanned among the same siblings: a server may speak of its own, with or without a prefix. */
function ownNames(siblings: Subject['siblings']): ReadonlySet<string> {
  const names = known.get(siblings) ?? new Set(siblings.flatMap(({ name }) => endingsOf(plainOf(name))))
  known.set(siblings, names)
  return names
}

/** A name, and what stands behind each of its first underscores. */
function endingsOf(name: string): readonly string[] {
  const parts = name.split('_', MOST_PARTS)
  let at = 0
  const endings = parts.slice(0, -1).map((part) => name.slice((at += part.length + 1)))
  return [name, ...endings]
}

function trimmed(name: string): string {
  return name.replace(/[.-]+$/, '')
}

function isOrdered(hits: readonly Hit[], at: number): boolean {
  return hits.some((hit) => ORDERS.has(hit.idea) && Math.abs(hit.at - at) <= NEAR)
}

/** No name, but other servers' tools all the same. */
function byTheWay({ plain, path, hits }: ReadText): Finding[] {
  const there = WHEN_THERE.exec(plain)
  const other = there ?? OTHERS.exec(plain)
  if (other === null || !isOrdered(hits, other.index)) return []
  const isLed = there !== null && hits.some(({ idea }) => idea === 'account')
  return [
    {
      field: path,
      severity: isLed ? 'high' : 'medium',
      explanation: `gives orders about other servers: ${excerpt(other[0])}`,
    },
  ]
}
