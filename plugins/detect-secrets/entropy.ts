/** Shannon entropy in bits for each sign. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const sign of text) counts.set(sign, (counts.get(sign) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** Of 16 signs: random texts of them have fewer bits for each sign than others. */
const isHex = (text: string) => /^[0-9a-f]+$|^[0-9A-F]+$/.test(text)
const HEX_SHARE = 0.8

/** As random as a key: `minEntropy` bits for each sign, four fifths of that for hexadecimal text, and no words. */
export function looksRandom(text: string, minEntropy: number): boolean {
  if (!/[0-9]/.test(text) || !/[A-Za-z]/.test(text)) return false
  if (entropyOf(text) < (isHex(text) ? minEntropy * HEX_SHARE : minEntropy)) return false
  return shareOfWords(text) < MOST_WORDS
}

const MOST_WORDS = 0.45

/** How much of a text is made of stretches of letters that English has, too. */
export function shareOfWords(text: string): number {
  let letters = 0
  for (const [word] of text.matchAll(/[A-Z]?[a-z]{3,}|[A-Z]{4,}/g))
    if (isWordlike(word.toLowerCase())) letters += word.length
  return letters / text.length
}

function isWordlike(word: string): boolean {
  for (let index = 1; index < word.length; index += 1) {
    if (!FOLLOWERS.get(word[index - 1] as string)?.includes(word[index] as string)) return false
  }
  return true
}

/** The 230 commonest pairs of letters in technical English, 94 of 100: a letter, then all that often follow it. */
const FOLLOWERS: ReadonlyMap<string, string> = new Map(
  (
    'abcdgilmnprstuvxy baejloru caehiklortu dadeiors eabcdefglmnpqrstvwxy faefiloru gaeilnru haeiortu iabcdefglmnoprstvz ' +
    'jes kei ladeilostuy maeiop nacdefgilnopstu oabcdgklmnoprstuvw paeilmoprstu qu racdegiklmnorstuvy sacehiopstuvy ' +
    'tacehioprstuy ubegilmnprst vaei waehinow xaipt ynops'
  )
    .split(' ')
    .map((entry) => [entry[0] as string, entry.slice(1)]),
)
