import { AREA_CODES } from './area-codes.js'
import { CALLING_CODES } from './calling-codes.js'
import { digitsOf, words } from './recognizer.js'
import type { Judgement, Match, Recognizer } from './recognizer.js'

/** A number as it is written: groups of digits with spaces, dots, dashes, slashes or brackets between, and an extension. */
export const PHONE: Recognizer = {
  entity: 'PHONE_NUMBER',
  needs: 'digit',
  pattern:
    /(?<![\w.+/-])(?:\+ ?|\()?\d[\d ().\u2010-\u2013/-]{5,22}\d(?:,? ?(?:ext|x|extension)[. ]{0,2}\d{1,6})?(?![\w]|[-.]\d)/gi,
  hints: words('phone telephone cell cellphone mobile call tel telefon tél tel fax dial sms whatsapp handy'),
  judge: judgePhone,
}

function judgePhone({ start, value, text }: Match): Judgement | null {
  const main = value.replace(/,? ?(?:ext|x|extension)[. ]{0,2}\d{1,6}$/i, '')
  if (main.startsWith('+')) return international(main, start, value)
  if (/^\(?\d{1,4}-\d{2}-\d{2}|^\d{1,2}[./]\d{1,2}[./]/.test(main)) return null
  const digits = digitsOf(main)
  const isBare = digits.length === main.length
  if (isNorthAmerican(digits)) {
    // Three, three and four: not ten digits in any groups.
    if (!isBare && !/^(?:1[ .-]?)?\(?\d{3}\)?[ .\u2010-\u2013/-]{0,2}\d{3}[ .\u2010-\u2013-]\d{4}$/.test(main))
      return null
    return { score: isBare ? 0.15 : 0.5 }
  }
  if (isBare) return isTrunk(digits) ? { score: 0.1 } : null
  if (isTrunk(digits) && hasGoodGroups(main)) return { score: 0.4 }
  return isNamed(text, start) && digits.length >= 7 && digits.length <= 13 && hasGoodGroups(main)
    ? { score: 0.15 }
    : null
}

/** `+`, a calling code, and as many digits as numbers of that country have. Groups that follow by chance are cut off. */
function international(main: string, start: number, value: string): Judgement | null {
  for (let end = main.length; end > 7; end = main.slice(0, end).search(/[ .\u2010-\u2013/-]+\(?\d+\)?$/)) {
    const digits = digitsOf(main.slice(0, end).replace(/\(0\)/, ''))
    const fits = CALLING_CODES.some(({ code, least, most }) => {
      const rest = digits.length - code.length
      return digits.startsWith(code) && rest >= least && rest <= most
    })
    if (fits) return end === main.length ? { score: 0.6, end: start + value.length } : { score: 0.6, end: start + end }
  }
  return null
}

/** Ten digits, an area code in use, an exchange from 200 on (North American Numbering Plan); a 1 may stand before them. */
const isNorthAmerican = (digits: string) =>
  /^1?[2-9]\d{2}[2-9](?!11)\d{6}$/.test(digits) && AREA_CODES.has(digits.slice(-10, -7))
/** A 0 and the number inside the country, as most of Europe, Asia and Africa write it. */
const isTrunk = (digits: string) => /^0[1-9]\d{7,10}$/.test(digits)
/** No group of one digit but the country's or in brackets, and not more than six groups. */
const hasGoodGroups = (main: string) => {
  const groups = main.match(/\d+/g) ?? []
  return groups.length <= 6 && groups.every((group) => group.length >= 2) && !main.includes('.')
}
const isNamed = (text: string, start: number) =>
  /(?:phone|mobile|tel|call|cell|fax)[^\d\n]{0,20}$/i.test(text.slice(Math.max(0, start - 30), start))
