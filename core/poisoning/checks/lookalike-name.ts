import { excerpt } from '../excerpt.js'
import { lookOf, SHORTEST } from '../neighbourhood.js'
import type { Look } from '../neighbourhood.js'
import type { Finding, ReadText, Subject } from '../types.js'

const SHORTEST_WORD = 5

/** A name that a person or a model would take for that of another server's feature, though it is not the same. */
export function checkLookalikeName(texts: readonly ReadText[], { neighbours, kind }: Subject): readonly Finding[] {
  const own = texts.find(({ path }) => path === '$.name')
  if (own === undefined || own.text.length < SHORTEST) return []
  const look = lookOf(own.text)
  const other = neighbours.looks.get(kind)?.find((one) => isLike(look, one))
  if (other === undefined) return []
  const explanation = `${excerpt(own.text)} looks like ${excerpt(other.name)} of another server`
  return [{ field: own.path, severity: 'high', explanation }]
}

function isLike(own: Look, other: Look): boolean {
  const name = other.name.toLowerCase()
  if (own.name.toLowerCase() === name) return false
  // Nothing but a sign nobody sees, or of another script, tells them apart.
  if (own.plain === name) return true
  if (/[_-]{2}/.test(own.plain) && own.plain.replaceAll(/[_-]{2,}/g, '_') === name) return true
  // getUser and get_user are two habits of writing one name.
  if (own.words.join(' ') === other.words.join(' ')) return false
  return own.shape === other.shape || isSlip(own.words, other.words)
}

/** All words alike but one, which is a slip of the pen away. Endings are grammar. */
function isSlip(words: readonly string[], others: readonly string[]): boolean {
  if (words.length !== others.length || words.length < 2) return false
  const at = words.findIndex((word, place) => word !== others[place])
  const [one = '', other = ''] = [words[at], others[at]]
  if (words.slice(at + 1).some((word, place) => word !== others[at + 1 + place])) return false
  const [shorter, longer] = one.length <= other.length ? [one, other] : [other, one]
  if (longer.length < SHORTEST_WORD || /\d/.test(longer)) return false
  if (longer.startsWith(shorter) && longer !== `${shorter}e`) return false
  if (longer.length > shorter.length) return longer.length === shorter.length + 1 && isDropped(shorter, longer)
  return isSwap(shorter, longer) || (longer.length > SHORTEST_WORD && differences(shorter, longer) === 1)
}

function differences(one: string, other: string): number {
  return [...one].filter((sign, at) => sign !== other[at]).length
}

function isSwap(one: string, other: string): boolean {
  const at = firstUnlike(one, other)
  return one.slice(at, at + 2) === `${other[at + 1]}${other[at]}` && one.slice(at + 2) === other.slice(at + 2)
}

function isDropped(shorter: string, longer: string): boolean {
  const at = firstUnlike(shorter, longer)
  return shorter.slice(at) === longer.slice(at + 1)
}

function firstUnlike(one: string, other: string): number {
  const at = [...one].findIndex((sign, place) => sign !== other[place])
  return at < 0 ? one.length : at
}
