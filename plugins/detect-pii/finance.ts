import { modulo97, passesBase58, passesBech32, passesLuhn } from './checksums.js'
import { digitsOf, words } from './recognizer.js'
import type { Match, Recognizer } from './recognizer.js'

/** Who issues it, and the lengths of its numbers. */
const SCHEMES: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[0-8]|6[37])/, [16, 19]],
  [/^(?:222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65|62)/, [16, 19]],
  [/^(?:30[0-5]|309|36|38|39)/, [14, 16]],
  [/^35(?:2[89]|[3-8])/, [16, 19]],
]

const creditCard: Recognizer = {
  entity: 'CREDIT_CARD',
  needs: 'digit',
  pattern:
    /(?<![\w.+-])[2-6]\d{3}(?:\d{8,15}|([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|([ -])\d{6}\2\d{4,5}|([ -])\d{3}\3\d{3}\3\d{3})(?![\w-])/g,
  hints: words('credit card cc visa mastercard amex discover jcb diners maestro pan'),
  judge({ value }) {
    const digits = digitsOf(value)
    const issued = SCHEMES.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length))
    return issued && passesLuhn(digits) ? { score: 1 } : null
  },
}

/** The length of an IBAN by country (ISO 13616 registry). */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
    'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
    'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

const iban: Recognizer = {
  entity: 'IBAN_CODE',
  needs: 'digit',
  reaches: true,
  pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}/gi,
  hints: words('iban bank konto compte account'),
  judge: judgeIban,
}

/** The pattern takes what follows along: the country says where the number ends. */
function judgeIban({ text, start, value }: Match) {
  const length = IBAN_LENGTHS.get(value.slice(0, 2).toUpperCase())
  if (length === undefined) return null
  let at = 0
  let plain = ''
  for (; at < value.length && plain.length < length; at += 1) if (isAlphanumeric(value[at])) plain += value[at]
  if (plain.length < length || isAlphanumeric(text[start + at])) return null
  const upper = plain.toUpperCase()
  return modulo97(upper.slice(4) + upper.slice(0, 4)) === 1 ? { score: 1, end: start + at } : null
}

const isAlphanumeric = (sign: string | undefined) => sign !== undefined && /[A-Za-z0-9]/.test(sign)

const wallet: Recognizer = {
  entity: 'CRYPTO',
  needs: 'digit',
  pattern:
    /(?<![A-Za-z0-9])(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[ac-hj-np-z02-9]{11,71}|BC1[AC-HJ-NP-Z02-9]{11,71})(?![A-Za-z0-9])/g,
  hints: words('wallet bitcoin btc crypto'),
  judge: ({ value }) =>
    (value.toLowerCase().startsWith('bc1') ? passesBech32(value) : passesBase58(value)) ? { score: 1 } : null,
}

const bankNumber: Recognizer = {
  entity: 'US_BANK_NUMBER',
  needs: 'digit',
  pattern: /(?<![\w.+-])\d{8,17}(?![\w-])/g,
  hints: words('check checking account acct bank save saving debit deposit'),
  most: 0.05,
  judge: () => ({ score: 0.05 }),
}

export const FINANCE: readonly Recognizer[] = [creditCard, iban, wallet, bankNumber]
