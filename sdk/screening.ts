import type { Evaluation, EvaluateRequest, Leaf } from './engine.js'
import { block, modify, pass, undecided } from './verdict.js'

/** A text of a message, or a part of one that is too long for one question. */
export interface Piece {
  readonly text: string
}

/** What a service made of some pieces. `texts` are those that shall stand in their place, one for each. */
export type PiecesAnswer =
  | { readonly kind: 'pass' }
  | { readonly kind: 'changed'; readonly texts: readonly string[] }
  | { readonly kind: 'block'; readonly reason: string }
  | { readonly kind: 'undecided'; readonly message: string }

export interface Screening {
  readonly leaves: readonly Leaf[]
  readonly rewrite: EvaluateRequest['rewrite']
  readonly limits: ScreeningLimits
  /** Asks the service about pieces that go into one question. */
  readonly ask: (pieces: readonly Piece[]) => Promise<PiecesAnswer>
}

export interface ScreeningLimits {
  /** Most UTF-16 units, and most pieces, of one question. */
  readonly characters: number
  readonly pieces: number
  /** Most questions for one message: beyond that it is undecided. */
  readonly questions: number
}

/** How many questions about one message are under way together. */
const TOGETHER = 4

/**
 * Shows the texts of a message to a service that takes so and so much at a time, and makes one verdict of all it says. Each text
 * is shown once, however often it stands there; a long one is cut, at white space where there is some. A block counts for more
 * than a failure, and that for more than a change. A change in a key, which cannot be rewritten, blocks.
 */
export async function screen(screening: Screening): Promise<Evaluation> {
  const sources = sourcesOf(screening.leaves)
  const questions = questionsOf(sources, screening.limits)
  if (questions.length === 0) return pass()
  if (questions.length > screening.limits.questions) return undecided('the message is too long for the service')
  const answers = await askAll(questions, screening.ask)
  const blocked = answers.find((answer) => answer.kind === 'block')
  if (blocked?.kind === 'block') return block(blocked.reason)
  const failed = answers.find((answer) => answer.kind === 'undecided')
  if (failed?.kind === 'undecided') return undecided(failed.message)
  if (!takeChanges(questions, answers)) return undecided('the service did not answer a text for each of ours')
  return verdictOf(sources, screening)
}

/** One text, and everywhere that it stands. */
interface Source {
  readonly text: string
  readonly leaves: number[]
  isKey: boolean
  readonly parts: Part[]
}
interface Part extends Piece {
  changed: string | null
}

function sourcesOf(leaves: readonly Leaf[]): readonly Source[] {
  const byText = new Map<string, Source>()
  for (const [index, { kind, text }] of leaves.entries()) {
    if (kind === 'whole' || text.trim() === '') continue
    const source = byText.get(text) ?? { text, leaves: [], isKey: false, parts: [] }
    byText.set(text, source)
    source.leaves.push(index)
    source.isKey ||= kind === 'key'
  }
  return [...byText.values()]
}

function questionsOf(sources: readonly Source[], limits: ScreeningLimits): readonly (readonly Part[])[] {
  const questions: Part[][] = []
  let room = 0
  for (const source of sources) {
    for (const text of cut(source.text, limits.characters)) {
      const part: Part = { text, changed: null }
      source.parts.push(part)
      const last = questions.at(-1)
      if (last === undefined || text.length > room || last.length >= limits.pieces) {
        questions.push([part])
        room = limits.characters - text.length
      } else {
        last.push(part)
        room -= text.length
      }
    }
  }
  return questions
}

/** Parts of at most `most` units that make up the text; never between the halves of a surrogate pair. */
function cut(text: string, most: number): readonly string[] {
  const parts: string[] = []
  let start = 0
  while (text.length - start > most) {
    const end = start + most
    const space = text.slice(end - Math.floor(most / 10), end).search(/\s\S*$/)
    let at = space < 0 ? end : end - Math.floor(most / 10) + space + 1
    if (/[\ud800-\udbff]/.test(text[at - 1] ?? '')) at -= 1
    parts.push(text.slice(start, at))
    start = at
  }
  return [...parts, text.slice(start)]
}

async function askAll(
  questions: readonly (readonly Part[])[],
  ask: Screening['ask'],
): Promise<readonly PiecesAnswer[]> {
  const answers: PiecesAnswer[] = []
  for (let at = 0; at < questions.length; at += TOGETHER) {
    const some = await Promise.all(questions.slice(at, at + TOGETHER).map(ask))
    answers.push(...some)
    if (some.some(({ kind }) => kind === 'block')) break
  }
  return answers
}

function takeChanges(questions: readonly (readonly Part[])[], answers: readonly PiecesAnswer[]): boolean {
  for (const [index, answer] of answers.entries()) {
    if (answer.kind !== 'changed') continue
    const parts = questions[index] ?? []
    if (answer.texts.length !== parts.length) return false
    for (const [place, part] of parts.entries()) part.changed = answer.texts[place] ?? null
  }
  return true
}

function verdictOf(sources: readonly Source[], { rewrite }: Screening): Evaluation {
  const changes = new Map<number, string>()
  for (const { text, leaves, isKey, parts } of sources) {
    const after = parts.map((part) => part.changed ?? part.text).join('')
    if (after === text) continue
    if (isKey) return block('The name of a field holds what may not pass.')
    for (const leaf of leaves) changes.set(leaf, after)
  }
  return changes.size === 0 ? pass() : modify({ message: rewrite(changes) })
}

/** For `engine.test`: the given text as a leaf, and the message of that contract, made anew. */
export function testMessage(leg: 'request' | 'response', text: string): Pick<Screening, 'leaves' | 'rewrite'> {
  return {
    leaves: [{ kind: 'value', text }],
    rewrite: (texts) => {
      const after = texts.get(0) ?? text
      return leg === 'request'
        ? { name: 'test', arguments: { text: after } }
        : { content: [{ type: 'text', text: after }] }
    },
  }
}
