import { passesDea, passesModulo11 } from './checksums.js'
import { digitsOf, words } from './recognizer.js'
import type { Recognizer } from './recognizer.js'

const ssn: Recognizer = {
  entity: 'US_SSN',
  needs: 'digit',
  pattern: /(?<![\w+-])(?<!\d\.)(?:\d{3}([- .])\d{2}\1\d{4}|\d{9})(?![\w-])(?!\.\d)/g,
  hints: words('social security ssn ssid'),
  judge({ value }) {
    const digits = digitsOf(value)
    // What was never issued: areas 000, 666 and 9xx, group 00, serial 0000, and the number that a wallet was sold with.
    if (/^(?:000|666|9)|^\d{3}00|0000$|^078051120$/.test(digits)) return null
    return { score: value.length === 9 ? 0.05 : 0.5 }
  },
}

const itin: Recognizer = {
  entity: 'US_ITIN',
  needs: 'digit',
  pattern: /(?<![\w+-])(?<!\d\.)9\d{2}([- ]?)(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1\d{4}(?![\w-])/g,
  hints: words('individual taxpayer itin tax taxid tin'),
  judge: ({ value }) => ({ score: value.length === 9 ? 0.3 : 0.5 }),
}

const passport: Recognizer = {
  entity: 'US_PASSPORT',
  needs: 'digit',
  pattern: /(?<![\w+-])(?:[A-Z]\d{8}|\d{9})(?![\w-])/g,
  hints: words('passport travel'),
  most: 0.1,
  judge: ({ value }) => ({ score: value.charCodeAt(0) > 57 ? 0.1 : 0.05 }),
}

const driverLicense: Recognizer = {
  entity: 'US_DRIVER_LICENSE',
  needs: 'digit',
  pattern:
    /(?<![\w+-])(?:[A-Z]{1,2}\d{3,14}|\d{2}[A-Z]{3}\d{5,6}|\d{3}[A-Z]{2}\d{4}|\d{7,9}[A-Z]{1,2}|[A-Z]\d{6}R|\d{2}-\d{3}-\d{4}|[A-Z]\d{3}-\d{4}-\d{4}|\d{6,14})(?![\w-])/g,
  hints: words('driver license licence lic permit identification dl dls cdl driving drivers'),
  most: 0.15,
  judge: ({ value }) => ({ score: /[A-Z]/.test(value) ? 0.15 : 0.01 }),
}

const nhs: Recognizer = {
  entity: 'UK_NHS',
  needs: 'digit',
  pattern: /(?<![\w+-])(?<!\d[. ])\d{3}([- ]?)\d{3}\1\d{4}(?![\w-])(?! \d)/g,
  hints: words('nhs national health patient'),
  judge({ value }) {
    const digits = digitsOf(value)
    if (/^(\d)\1+$/.test(digits) || !passesModulo11(digits)) return null
    // One in eleven of all numbers passes: a bare one is more likely something else.
    if (value.length === 10) return { score: isIssued(digits) ? 0.35 : 0.1 }
    return { score: value.includes('-') ? 0.55 : 1 }
  },
}

/** In the ranges of England and Wales, Northern Ireland and tests, or a Scottish one, which begins with a date of birth. */
const isIssued = (digits: string) => /^(?:[479]|6|3[2-9]|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]))/.test(digits)

const medicalLicense: Recognizer = {
  entity: 'MEDICAL_LICENSE',
  needs: 'digit',
  pattern: /(?<![\w+-])[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}(?![\w-])/gi,
  hints: words('medical certificate dea prescriber'),
  judge: ({ value }) => (passesDea(value.slice(2)) ? { score: 1 } : null),
}

export const IDENTITY: readonly Recognizer[] = [ssn, itin, passport, driverLicense, nhs, medicalLicense]
