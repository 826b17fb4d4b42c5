import { excerpt } from '../excerpt.js'
import { INVISIBLE, mixedWords, skeletonOf } from '../plain.js'
import type { Finding, ReadText } from '../types.js'

/** Words that are made to look like others with letters of another script, or with forms that only look like plain ones. */
export function checkConfusableLetters(texts: readonly ReadText[]): readonly Finding[] {
  return texts.flatMap(({ text, path, role }): Finding[] => {
    const [word] = mixedWords(text)
    if (word !== undefined) {
      const explanation = `mixes letters of several scripts that look alike: ${excerpt(word)}`
      return [{ field: path, severity: 'high', explanation }]
    }
    if (role !== 'name' || !isDisguised(text)) return []
    return [{ field: path, severity: 'high', explanation: `only looks like a plain name: ${excerpt(text)}` }]
  })
}

/** A name that is no ASCII but would be, were each sign what it looks like. */
function isDisguised(name: string): boolean {
  const visible = name.replace(INVISIBLE, '')
  if (/^[\0-\x7f]*$/.test(visible)) return false
  return /^[\x20-\x7e]+$/.test(skeletonOf(visible))
}
