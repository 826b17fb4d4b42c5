import nlp from 'compromise'
import type { Name } from './entities.js'
import { GROUPS, PLACES } from './gazetteer.js'
import type { Found } from './patterns.js'

/** A name is told from words that merely look like one by its neighbours only: surer than a guess, less than a check digit. */
const SCORES = { cue: 0.7, tagged: 0.6, listed: 0.6 } as const

const TOKEN = String.raw`(?:\p{Lu}[\p{L}\p{M}]*(?:['’-]\p{L}[\p{L}\p{M}]*)*|\p{Lu}\.)`
const PARTICLE = String.raw`(?:van der|van den|van|von|de la|de los|de|del|da|dos|di|bin|al|el|la|le)`
const NAME = String.raw`${TOKEN}(?:[ ](?:${PARTICLE}[ ])?${TOKEN}|[ ]?al-${TOKEN}){0,3}`

/** Words after which a name stands, and the name; what they say with certainty is not asked of the tagger. */
const CUES = new RegExp(
  String.raw`(?:\b(?:[Mm]y name is|[Nn]ame is|(?:[Ff]ull|[Ff]irst|[Ll]ast|[Cc]ustomer|[Uu]ser|[Pp]atient) ?[Nn]ame:?|[Dd]ear|[Hh]i|[Hh]ello|Mr\.?|Mrs\.?|Ms\.?|Miss|Dr\.?|Prof\.?|[Ss]igned (?:for )?by|[Aa]ssigned to|[Ss]p(?:eak|oke) (?:to|with)|[Aa]ccording to|[Rr]egards,?|[Cc]heers,?|[Ss]incerely,?)\s+` +
    String.raw`|\b(?:[a-z]*_?[Nn]ame|patient|customer|contact(?: person|_person)?|author|owner|manager|employee)"?'?[:=]\s{0,2}["']?)` +
    `(${TOKEN}, ${TOKEN}(?!\\p{L})|${NAME})`,
  'gu',
)
/** Words after which a place stands, and the place; a street with its number needs none. */
const PLACE_CUES = new RegExp(
  String.raw`(?:\b(?:(?:live|living|lives|lived|located|based|born|raised|office|offices|branch) in|(?:flew|moved|travel(?:led)?|relocated) to|near)\s+` +
    String.raw`|\b(?:[a-z]*_?(?:city|country|town|location|address)|birthplace)"?'?[:=]\s{0,2}["']?)` +
    String.raw`(\p{Lu}[\p{L}\p{M}'’-]+(?:,? (?:(?:de|do|la|of|the|upon|am) )?\p{Lu}[\p{L}\p{M}'’-]+){0,3})`,
  'gu',
)
const STREETS =
  /(?<![\w.-])\d{1,5}[A-Za-z]? (?:\p{Lu}[\p{L}'’-]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd|Way|Court|Square|Place|Terrace|Close|Crescent)\b/gu
const MORE = new RegExp(String.raw`^(?:[ ](?:${PARTICLE}[ ])?${TOKEN})+`, 'u')
const EDGES = /^[^\p{L}\p{N}]+|(?:['’]s)?[^\p{L}\p{N}]+$/gu

/** Names of persons, places and groups in a text, in UTF-16 units. Spans of one kind do not overlap. */
export function findNames(text: string, wanted: ReadonlySet<Name>): readonly Found[] {
  const found: Found[] = []
  if (!/\p{L}{2}/u.test(text)) return found
  if (wanted.has('LOCATION')) {
    list(text, PLACES, 'LOCATION', found)
    list(text, { pattern: STREETS }, 'LOCATION', found)
    addCued(text, PLACE_CUES, 'LOCATION', found)
  }
  if (wanted.has('NRP')) list(text, GROUPS, 'NRP', found)
  if (wanted.has('PERSON')) addCued(text, CUES, 'PERSON', found)
  const tagged = nlp(text)
  if (wanted.has('PERSON')) addTagged(text, tagged.people(), 'PERSON', found)
  if (wanted.has('LOCATION')) addTagged(text, tagged.places(), 'LOCATION', found)
  if (wanted.has('NRP')) addTagged(text, tagged.match('#Demonym+'), 'NRP', found)
  return found
}

interface View {
  json(options: { readonly offset: true }): unknown
}
interface Tagged {
  readonly offset?: { readonly start: number; readonly length: number }
}

function addTagged(text: string, view: View, type: Name, found: Found[]): void {
  for (const { offset } of view.json({ offset: true }) as readonly Tagged[]) {
    if (offset === undefined) continue
    const span = trim(text, offset.start, offset.start + offset.length)
    if (span === null || !isCapital(text, span.start)) continue
    if (type === 'PERSON') span.end += MORE.exec(text.slice(span.end, span.end + 80))?.[0].length ?? 0
    add(found, { type, ...span, score: SCORES.tagged })
  }
}

function trim(text: string, start: number, end: number): { start: number; end: number } | null {
  const line = text.slice(start, end)
  const front = /^[^\p{L}\p{N}]*/u.exec(line)?.[0].length ?? 0
  const plain = line.replaceAll(EDGES, '')
  return plain.length < 2 || /[\n\t"{}|;<>=@]/.test(plain)
    ? null
    : { start: start + front, end: start + front + plain.length }
}

const isCapital = (text: string, at: number) => /^\p{Lu}/u.test(text.slice(at, at + 2))

function addCued(text: string, cues: RegExp, type: Name, found: Found[]): void {
  for (const match of text.matchAll(cues)) {
    const name = match[1] as string
    const end = match.index + match[0].length
    add(found, { type, start: end - name.length, end, score: SCORES.cue })
  }
}

/** Places and groups that are known by their name alone. */
function list(text: string, { pattern }: { readonly pattern: RegExp }, type: Name, found: Found[]): void {
  for (const { index, 0: name } of text.matchAll(pattern)) {
    add(found, { type, start: index, end: index + name.length, score: SCORES.listed })
  }
}

/** Keeps the longer of two spans of one kind that overlap. */
function add(found: Found[], span: Found): void {
  const rivals = found.filter(({ type, start, end }) => type === span.type && start < span.end && span.start < end)
  if (rivals.some(({ start, end }) => end - start >= span.end - span.start)) return
  for (const rival of rivals) found.splice(found.indexOf(rival), 1)
  found.push(span)
}
