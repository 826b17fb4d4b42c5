import { hitsIn } from './hits.js'
import { plainOf, wordsOf } from './plain.js'
import type { ReadText, Text } from './types.js'

/** A name of so many words says something. */
const TELLING_NAME = 4
/** Shorter texts say nothing that is worth judging. */
const SHORTEST = 8

/** Reads every text once for all checks. The description of a parameter is read together with its name. */
export function readTexts(texts: readonly Text[]): readonly ReadText[] {
  return texts.map((text, at) => {
    const plain = plainOf(text.text)
    const said = saidBy(text, plain, texts[at - 1])
    return { ...text, plain, said, hits: said.length < SHORTEST ? [] : hitsIn(said) }
  })
}

function saidBy({ role, text, path }: Text, plain: string, before: Text | undefined): string {
  if (role === 'name') {
    const words = wordsOf(plain === text.toLowerCase() ? text : plain)
    return words.split(' ').length >= TELLING_NAME ? words : ''
  }
  const isOfName = before?.role === 'name' && path === `${before.path}.description`
  return isOfName ? `${wordsOf(plainOf(before.text))}. ${plain}` : plain
}
