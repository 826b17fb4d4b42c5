import { words } from './recognizer.js'
import type { Match, Recognizer } from './recognizer.js'

const hints = words('date birthday birth dob born')
const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const DAY = '(?:mon|tues|wednes|thurs|fri|satur|sun)day'
const NUMBER = '(?:\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|several|a few)'
const UNIT = '(?:second|minute|hour|day|week|month|quarter|year|decade)'
const TIME = '(?:[01]?\\d|2[0-4]):[0-5]\\d(?::[0-5]\\d(?:[.,]\\d{1,9})?)?'

const of = (pattern: RegExp, needs: Recognizer['needs'], judge: Recognizer['judge']): Recognizer => ({
  entity: 'DATE_TIME',
  needs,
  pattern,
  hints,
  judge,
})
const always = (score: number) => () => ({ score })

/** `2024-05-17`, alone or with a time and an offset (ISO 8601, RFC 3339). */
const iso = of(
  new RegExp(
    `(?<![\\w.-])\\d{4}([-/])\\d{1,2}\\1\\d{1,2}(?:[T ]${TIME}(?: ?(?:Z|[+-]\\d{2}:?\\d{2}))?)?(?![\\w]|[-/]\\d)`,
    'gi',
  ),
  'digit',
  ({ value }) => {
    const [month, day] = value.slice(5, 10).split(/[-/]/).map(Number.parseFloat)
    return inRange(month, 12) && inRange(day, 31) ? { score: value.length > 10 ? 0.8 : 0.6 } : null
  },
)

/** `17/05/2024`, `5/17/24`, `17.05.2024`, `17-05-2024`, with a time or without. */
const numeric = of(
  new RegExp(`(?<![\\w./-])\\d{1,2}([-/.])\\d{1,2}\\1(?:\\d{4}|\\d{2})(?:,? ${TIME})?(?![\\w]|[-/.]\\d)`, 'g'),
  'digit',
  judgeNumeric,
)

function judgeNumeric({ value }: Match) {
  const [first, second, year = ''] = value.split(/[-/.]/)
  const [a, b] = [Number(first), Number(second)]
  if (!inRange(Math.min(a, b), 12) || !inRange(Math.max(a, b), 31)) return null
  const isLong = /^\d{4}/.test(year)
  if (isLong) return { score: 0.6 }
  return value.includes('/') ? { score: 0.4 } : { score: 0.1 }
}

const inRange = (number: number | undefined, most: number) => number !== undefined && number >= 1 && number <= most

/** `17 May 2024`, `May 17th, 2024`, `Tuesday, 3 March`, `17-May-2024`, `May 2024`. */
const named = of(
  new RegExp(
    `\\b(?:${DAY},? )?(?:\\d{1,2}(?:st|nd|rd|th)?(?: of)?[ -]${MONTH}\\b\\.?(?:[ ,-]{1,2}(?:\\d{4}|\\d{2})\\b)?|` +
      `${MONTH}\\b\\.?(?:[ -]\\d{1,2}(?:st|nd|rd|th)?\\b(?!:)(?:,? \\d{4}\\b)?|,?[ -]\\d{4}\\b))(?:,? (?:at )?${TIME})?`,
    'gi',
  ),
  'digit',
  // `may 12 …` is seldom a date.
  ({ value }) => (/^may\b/.test(value) ? { score: 0.1 } : { score: 0.6 }),
)

/** `14:05`, `9:30 pm`, `5 p.m.` */
const time = of(
  new RegExp(
    `(?<![\\w:.-])(?:${TIME}(?: ?[ap]\\.?m\\b\\.?)?|(?:1[0-2]|[1-9]) ?[ap]\\.?m\\b\\.?)(?![\\w:])(?!\\.\\d)`,
    'gi',
  ),
  'digit',
  always(0.5),
)

/** Days of the week, and days told from today. */
const relative = of(
  new RegExp(
    `\\b(?:yesterday|tomorrow|tonight|today|(?:(?:last|next|this) )?${DAY}|(?:last|next|this) (?:night|morning|afternoon|evening|${UNIT})|` +
      `${NUMBER} ${UNIT}s? (?:ago|from now|later|earlier))\\b`,
    'gi',
  ),
  'letter',
  always(0.5),
)

export const DATES: readonly Recognizer[] = [iso, numeric, named, time, relative]
