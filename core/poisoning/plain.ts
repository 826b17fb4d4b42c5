/** Letters of other scripts (and digits of none) that look like an ASCII letter; what NFKC maps already is not here. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  // Cyrillic
  а: 'a',
  с: 'c',
  ԁ: 'd',
  е: 'e',
  ё: 'e',
  һ: 'h',
  і: 'i',
  ї: 'i',
  ј: 'j',
  к: 'k',
  ӏ: 'l',
  м: 'm',
  п: 'n',
  о: 'o',
  р: 'p',
  ԛ: 'q',
  г: 'r',
  ѕ: 's',
  т: 't',
  ѵ: 'v',
  ԝ: 'w',
  х: 'x',
  у: 'y',
  в: 'b',
  ь: 'b',
  н: 'h',
  // Greek
  α: 'a',
  ε: 'e',
  η: 'n',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  γ: 'y',
  β: 'b',
  ω: 'w',
  ϲ: 'c',
  ϳ: 'j',
  // Armenian, Cherokee, Latin that is no ASCII
  ա: 'w',
  օ: 'o',
  ս: 'u',
  հ: 'h',
  ո: 'n',
  զ: 'q',
  ց: 'g',
  ı: 'i',
  ɑ: 'a',
  ɡ: 'g',
  ɩ: 'i',
  ʀ: 'r',
  ᴄ: 'c',
  ᴏ: 'o',
  ᴜ: 'u',
  ᴠ: 'v',
  ᴡ: 'w',
  ᴢ: 'z',
  ꜱ: 's',
  ℯ: 'e',
  ⲟ: 'o',
  ⲣ: 'p',
  Ꭺ: 'a',
  Ꭼ: 'e',
  Ꮪ: 's',
  Ꭲ: 't',
}

const GREEK_OF_FORMULAS = /^[αβγεηικνορτυχω]$/
/** Nothing of it is seen, and nothing of it is needed to write any text but those that `hidden_unicode` knows. */
export const INVISIBLE =
  /[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\u{e0000}-\u{e0fff}\u00ad\u061c\u115f\u1160\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{1d173}-\u{1d17a}]/gu

const WORD = /[\p{L}\p{M}\p{N}_]+/gu
const LATIN = /\p{Script=Latin}/u
const ASCII = /^[\0-\x7f]*$/

/** What a reader would take the text for: nothing invisible, compatible forms made one, lookalikes among Latin letters replaced. */
export function plainOf(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  const visible = text.replace(INVISIBLE, '').normalize('NFKC').toLowerCase()
  return ASCII.test(visible) ? visible : visible.replace(WORD, (word) => (LATIN.test(word) ? skeletonOf(word) : word))
}

export function skeletonOf(word: string): string {
  return ASCII.test(word)
    ? word
    : [...word.normalize('NFKC').toLowerCase()].map((sign) => LOOKALIKES[sign] ?? sign).join('')
}

/** The words that mix Latin letters with lookalikes of other scripts; a Greek letter beside a single one is a formula. */
export function mixedWords(text: string): string[] {
  if (ASCII.test(text)) return []
  return (text.match(WORD) ?? []).filter((word) => {
    const signs = [...word]
    const strangers = signs.filter((sign) => LOOKALIKES[sign.toLowerCase()] !== undefined && !LATIN.test(sign))
    const latin = signs.filter((sign) => LATIN.test(sign)).length
    const isFormula = strangers.every((sign) => GREEK_OF_FORMULAS.test(sign)) && latin < 3
    return strangers.length > 0 && latin > 0 && !isFormula
  })
}

/** `getUserName` and `get_user-name` in words. */
export function wordsOf(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/[_\-./:]+/g, ' ')
    .trim()
    .toLowerCase()
}
