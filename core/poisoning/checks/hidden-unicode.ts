import { excerpt } from '../excerpt.js'
import type { Finding, ReadText, Severity } from '../types.js'

interface Kind {
  readonly pattern: RegExp
  readonly severity: Severity
  readonly says: string
  /** In a name it is always `high`. */
  readonly most?: number
}

/** Tags may spell a flag, joiners an emoji or a letter, one variation selector the look of a sign: that is taken out first. */
const HONEST =
  /\u{1f3f4}[\u{e0061}-\u{e007a}\u{e0030}-\u{e0039}]{1,8}\u{e007f}|(?<=[\p{Extended_Pictographic}\p{Emoji_Component}\p{Script=Han}\p{S}\d#*])[\ufe0e\ufe0f](?![\ufe00-\ufe0f\u{e0100}-\u{e01ef}])|(?<=\p{Script=Han})[\u{e0100}-\u{e01ef}](?![\u{e0100}-\u{e01ef}])|(?<=\p{Extended_Pictographic}|\ufe0f|\p{Emoji_Modifier})\u200d(?=\p{Extended_Pictographic})|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Malayalam}\p{Script=Kannada}\p{Script=Sinhala}])[\u200c\u200d](?=\p{L})|(?<=\p{Script=Mongolian})[\u180b-\u180d]/gu

const KINDS: readonly Kind[] = [
  {
    pattern: /[\u{e0000}-\u{e007f}]/gu,
    severity: 'high',
    says: 'tag characters, which models read and people do not see',
  },
  {
    pattern: /[\u202a-\u202e\u2066-\u2069]/gu,
    severity: 'high',
    says: 'signs that reverse the order in which people read',
  },
  {
    pattern: /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu,
    severity: 'high',
    says: 'variation selectors where nothing varies',
  },
  {
    pattern: /[\u034f\u180e\u2060-\u2065\u206a-\u206f\ufff9-\ufffb]|[\u{1d173}-\u{1d17a}]/gu,
    severity: 'high',
    says: 'invisible signs',
  },
  { pattern: /[\u17b4\u17b5\u115f\u1160\u3164\uffa0]/gu, severity: 'high', says: 'fillers, letters that show nothing' },
  { pattern: /[\u200b-\u200d\ufeff\u00ad]/gu, severity: 'high', most: 2, says: 'signs of no width' },
  {
    pattern: /[\ue000-\uf8ff\u{f0000}-\u{10fffd}]/gu,
    severity: 'high',
    most: 2,
    says: 'signs of private use, which mean what somebody made them mean',
  },
  { pattern: /[\u200e\u200f\u061c]/gu, severity: 'high', most: 4, says: 'marks of direction' },
  { pattern: /[\u2028\u2029\u0085]/gu, severity: 'low', says: 'unusual line ends' },
]

export function checkHiddenUnicode(texts: readonly ReadText[]): readonly Finding[] {
  return texts.flatMap(({ text, path, role }): Finding[] => {
    if (/^[\0-\x7f]*$/.test(text)) return []
    const rest = text.replace(HONEST, '')
    return KINDS.flatMap(({ pattern, severity, says, most = 0 }) => {
      const count = rest.match(pattern)?.length ?? 0
      if (count === 0) return []
      const isMuch = count > most || role === 'name'
      const at = rest.search(pattern)
      const explanation = `holds ${says} (${count}): ${excerpt(rest.slice(Math.max(0, at - 8), at + 8))}`
      return [{ field: path, severity: isMuch ? severity : ('low' as const), explanation }]
    })
  })
}
