import { isPlaceholder } from './placeholder.js'

/** Where in a match the thing looked for stands, as offsets; null: the match is none. Cost is linear in the match. */
export type Check = (match: string) => Stretch | null
export type Stretch = readonly [start: number, end: number]

const whole = (text: string): Stretch => [0, text.length]
const when = (holds: (text: string) => boolean): Check => {
  return (match) => (holds(match) ? whole(match) : null)
}
/** The last run of the match that `value` finds, if it holds. */
const tail = (value: RegExp, holds: (text: string) => boolean): Check => {
  return (match) => {
    const found = value.exec(match)
    return found !== null && holds(found[0]) ? [found.index, found.index + found[0].length] : null
  }
}
const anything = () => true
const digitsOf = (text: string) => text.replaceAll(/\D/g, '')
const sum = (digits: string, weights: readonly number[]) =>
  weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0)

/** ISO/IEC 7812-1, annex B. */
export function isLuhn(text: string): boolean {
  const digits = digitsOf(text)
  let total = 0
  for (let index = digits.length - 1, twice = false; index >= 0; index -= 1, twice = !twice) {
    const digit = digits.charCodeAt(index) - 48
    total += twice ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit
  }
  return digits.length > 0 && total % 10 === 0 && !/^0+$/.test(digits)
}

/** ISO 13616-1: letters count from A = 10, the first four signs go to the end, the number is 1 modulo 97. */
export function isIban(text: string): boolean {
  const signs = text.replaceAll(/[\s-]/g, '').toUpperCase()
  if (signs.length !== IBAN_LENGTHS[signs.slice(0, 2)]) return false
  let rest = 0
  for (const sign of signs.slice(4) + signs.slice(0, 4)) {
    const value = Number.parseInt(sign, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** Of the IBAN registry: 2 letters of a country, then the length. */
const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 ' +
    'FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 ' +
    'LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ' +
    'ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** No area 000, 666 or 900 to 999, no group 00, no serial 0000; nor the numbers that were printed in advertisements. */
function isSsn(text: string): boolean {
  const digits = digitsOf(text)
  if (/^(?:000|666|9)/.test(digits) || digits.slice(3, 5) === '00' || digits.endsWith('0000')) return false
  return !['078051120', '219099999'].includes(digits)
}

/** Nine in front; group 50 to 65, 70 to 88, 90 to 92 or 94 to 99. */
const isItin = (text: string) => {
  const group = Number(digitsOf(text).slice(3, 5))
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group !== 93)
}

const isRouting = (text: string) => {
  const digits = digitsOf(text)
  return sum(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0 && !/^0+$/.test(digits)
}
/** The check digit of an NPI counts the prefix 80840 in. */
const isNpi = (text: string) => isLuhn(`80840${digitsOf(text)}`)

const isNhs = (text: string) => {
  const digits = digitsOf(text)
  const rest = 11 - (sum(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return rest !== 10 && rest % 11 === Number(digits[9]) && !/^(\d)\1+$/.test(digits)
}

/** ISO 7064, MOD 11,10; and of the first ten digits one stands twice or thrice, as the tax offices give them out. */
const isSteuerId = (text: string) => {
  const digits = digitsOf(text)
  const most = Math.max(...Array.from('0123456789', (digit) => digits.slice(0, 10).split(digit).length - 1))
  let product = 10
  for (const digit of digits.slice(0, 10)) {
    const partial = (Number(digit) + product) % 10 || 10
    product = (partial * 2) % 11
  }
  return (most === 2 || most === 3) && (11 - product) % 10 === Number(digits[10])
}

/** The key is 97 less the number modulo 97; Corsica's 2A and 2B count as 19 and 18. */
const isNir = (text: string) => {
  const signs = text.replaceAll(' ', '').toUpperCase().replace('2A', '19').replace('2B', '18')
  const number = Number(signs.slice(0, 13))
  return 97 - (number % 97) === Number(signs.slice(13, 15))
}

const isDni = (text: string) => {
  const signs = text.toUpperCase().replaceAll(/[\s-]/g, '')
  const number = Number(signs.slice(0, -1).replace('X', '0').replace('Y', '1').replace('Z', '2'))
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === signs.at(-1)
}

const ODD_VALUES = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
const isCodiceFiscale = (text: string) => {
  const signs = text.toUpperCase()
  let total = 0
  for (let index = 0; index < 15; index += 1) {
    const sign = Number.parseInt(signs[index] as string, 36)
    const value = sign > 9 ? sign - 10 : sign
    total += index % 2 === 0 ? (ODD_VALUES[value] as number) : value
  }
  return String.fromCharCode(65 + (total % 26)) === signs[15]
}

const isBsn = (text: string) => {
  const digits = digitsOf(text)
  return sum(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && !/^0+$/.test(digits)
}

const isPesel = (text: string) => {
  const month = Number(text.slice(2, 4)) % 20
  const day = Number(text.slice(4, 6))
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= 31
  return isDate && sum(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
}

/** Since 2000 a 2 is put in front before it is taken modulo 97. */
const isRijksregister = (text: string) => {
  const digits = digitsOf(text)
  const check = Number(digits.slice(9))
  const number = digits.slice(0, 9)
  return [number, `2${number}`].some((one) => 97 - (Number(one) % 97) === check)
}

const isHetu = (text: string) => {
  const number = Number(digitsOf(text.slice(0, 6)) + text.slice(7, 10))
  return '0123456789ABCDEFHJKLMNPRSTUVWXY'[number % 31] === text[10]?.toUpperCase()
}

const isPps = (text: string) => {
  const signs = text.toUpperCase()
  const second = signs.length > 8 && signs[8] !== 'W' ? signs.charCodeAt(8) - 64 : 0
  return 'WABCDEFGHIJKLMNOPQRSTUV'[(sum(signs, [8, 7, 6, 5, 4, 3, 2]) + 9 * second) % 23] === signs[7]
}

const isPersonnummer = (text: string) => {
  const digits = digitsOf(text)
  return isLuhn(digits.slice(-10))
}

/** Not a template, and not the name once more, as in the defaults of many servers. */
const isUrlPassword = (text: string, user: string) =>
  text !== user && !isPlaceholder(text) && !/^(?:bar|baz|foo)$|[<>{}$*\\]/.test(text)

/** By name, so that a pattern stays plain data and can be sent to a worker. */
export const CHECKS = {
  luhn: when(isLuhn),
  iban: when(isIban),
  ssn: when(isSsn),
  itin: when(isItin),
  nhs: when(isNhs),
  steuerId: when(isSteuerId),
  nir: when(isNir),
  dni: when(isDni),
  codiceFiscale: when(isCodiceFiscale),
  pesel: when(isPesel),
  rijksregister: when(isRijksregister),
  hetu: when(isHetu),
  pps: when(isPps),
  personnummer: when(isPersonnummer),
  bsnBehindLabel: tail(/[\d.]+$/, isBsn),
  routingBehindLabel: tail(/\d+$/, isRouting),
  npiBehindLabel: tail(/\d+$/, isNpi),
  behindLabel: tail(/[^\s:="'#]+$/, anything),
  behindEquals: tail(/[^=]+=*$/, anything),
  /** A token that has one sign in front of it, or stands at the beginning. */
  behindSign: tail(/[\w-][\w.-]*$/, anything),
  /** Between the colon behind the name and the `@`; the last sign of the match begins the host. */
  urlPassword: (match) => {
    const start = match.indexOf(':', 3) + 1
    const end = match.length - 2
    return isUrlPassword(match.slice(start, end), match.slice(3, start - 1)) ? [start, end] : null
  },
} satisfies Readonly<Record<string, Check>>
export type CheckName = keyof typeof CHECKS
