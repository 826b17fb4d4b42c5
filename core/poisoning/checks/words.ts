import { decodedIn } from '../decoded.js'
import type { Decoded } from '../decoded.js'
import { excerpt } from '../excerpt.js'
import { hitsIn, together } from '../hits.js'
import type { Hit } from '../hits.js'
import { wordsOf } from '../plain.js'
import { WORD_RULES } from '../rules.js'
import type { WordRule } from '../rules.js'
import type { Check, Finding, ReadText } from '../types.js'

export interface WordFinding extends Finding {
  readonly check: Check
}

/** A name of so many words is a sentence. */
const SENTENCE = 6

/** What the texts of a definition say, by what ideas stand together in them. What is encoded is judged decoded. */
export function checkWords(texts: readonly ReadText[]): readonly WordFinding[] {
  return texts.flatMap((text) => [
    ...judge(text.said, text.hits, text),
    ...decodedIn(text).flatMap((one) => judgeDecoded(one, text)),
  ])
}

/** Nobody spells plain words in signs by accident; Base64 and turned words only tell by what they say. */
function judgeDecoded({ plain, how, isPlainGuile }: Decoded, text: ReadText): WordFinding[] {
  const check = 'encoded_text'
  const findings = judge(plain, hitsIn(plain), { ...text, isInput: true })
  const grave = findings.find(({ severity }) => severity === 'high')
  if (grave !== undefined) return [{ ...grave, check, explanation: `${how}: ${grave.explanation}` }]
  if (isPlainGuile === null) return []
  const severity = isPlainGuile ? 'high' : 'medium'
  return [{ check, field: text.path, severity, explanation: `${how}: ${excerpt(plain)}` }]
}

function judge(said: string, hits: readonly Hit[], place: ReadText): WordFinding[] {
  if (hits.length === 0) return []
  const told = new Set<string>()
  return WORD_RULES.flatMap(({ check, severity, ideas, within, only, says }) => {
    if (told.has(`${check} ${severity}`) || !fits(only, place)) return []
    const found = together(hits, ideas, within)
    if (found === null) return []
    told.add(`${check} ${severity}`)
    const explanation = `${says}: ${excerpt(said.slice(found.at, found.at + 48))}`
    return [{ check, field: place.path, severity, explanation }]
  })
}

function fits(only: WordRule['only'], { isInput, role, text }: ReadText): boolean {
  if (only === 'input') return isInput
  return only !== 'name' || (role === 'name' && wordsOf(text).split(' ').length >= SENTENCE)
}
