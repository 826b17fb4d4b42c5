import { base58Check, deaDigit, ibanDigits, luhnDigit, nhsDigit, segwitAddress } from './check-digits.mjs'
import { accountNumbers, phone } from './numbers.mjs'
import { dateOrTime } from './dates.mjs'
import { DOMAINS, FIRST, GROUPS, LAST, NOUNS, PLACES, STREETS } from './words.mjs'

/** Entity type -> a value of it. All are made up; those with a check digit have the right one. */
export const VALUES = {
  CREDIT_CARD: creditCard,
  IBAN_CODE: iban,
  US_BANK_NUMBER: (random) => random.digits(random.pick([8, 9, 10, 11, 12, 12, 14, 17])).replace(/^0/, '4'),
  CRYPTO: wallet,
  US_SSN: ssn,
  US_ITIN: itin,
  US_PASSPORT: (random) => (random.chance(0.5) ? random.shape('@########') : random.shape('5########')),
  US_DRIVER_LICENSE: (random) => accountNumbers.license(random),
  UK_NHS: nhs,
  MEDICAL_LICENSE: dea,
  PERSON: person,
  EMAIL_ADDRESS: email,
  PHONE_NUMBER: phone,
  LOCATION: place,
  NRP: (random) => random.pick(GROUPS),
  IP_ADDRESS: address,
  URL: url,
  DATE_TIME: dateOrTime,
}

/** Prefix and length of what the schemes issue. */
const CARDS = [
  ['4', 16, 6],
  ['4', 13, 1],
  ['51', 16, 2],
  ['53', 16, 2],
  ['55', 16, 2],
  ['2221', 16, 1],
  ['2720', 16, 1],
  ['34', 15, 2],
  ['37', 15, 2],
  ['6011', 16, 2],
  ['65', 16, 1],
  ['3530', 16, 1],
  ['3566', 16, 1],
  ['38', 14, 1],
  ['6212', 16, 1],
].flatMap(([prefix, length, weight]) => Array.from({ length: weight }, () => [prefix, length]))

function creditCard(random) {
  const [prefix, length] = random.pick(CARDS)
  const body = prefix + random.digits(length - 1 - prefix.length)
  return group(random, body + luhnDigit(body), length)
}

/** As people write card numbers: in one, or in groups with spaces or dashes. */
export function group(random, number, length) {
  if (random.chance(0.4)) return number
  const sizes = length === 15 ? [4, 6, 5] : length === 14 ? [4, 6, 4] : length === 13 ? [4, 3, 3, 3] : [4, 4, 4, 4]
  const separator = random.pick([' ', ' ', '-'])
  let at = 0
  return sizes.map((size) => number.slice(at, (at += size))).join(separator)
}

/** Country -> the shape of its account numbers. */
const ACCOUNTS = {
  GB: '@@@@##############',
  DE: '##################',
  FR: '#######################',
  ES: '####################',
  IT: '@######################',
  NL: '@@@@##########',
  BE: '############',
  CH: '#################',
  AT: '################',
  PL: '########################',
  SE: '####################',
  NO: '###########',
  DK: '##############',
  FI: '##############',
  PT: '#####################',
  IE: '@@@@##############',
  CZ: '####################',
  GR: '#######################',
  LU: '################',
  HU: '########################',
  RO: '@@@@################',
  BG: '@@@@##############',
  HR: '#################',
  LT: '################',
  TR: '######################',
  AE: '###################',
  SA: '####################',
  IL: '###################',
}

function iban(random) {
  const country = random.pick(Object.keys(ACCOUNTS))
  const account = random.shape(ACCOUNTS[country])
  const text = country + ibanDigits(country, account) + account
  return random.chance(0.5) ? text : text.match(/.{1,4}/g).join(' ')
}

function wallet(random) {
  const bytes = (count) => Buffer.from(Array.from({ length: count }, () => random.below(256)))
  const kind = random.below(5)
  if (kind < 2) return base58Check(Buffer.concat([Buffer.from([0]), bytes(20)]))
  if (kind === 2) return base58Check(Buffer.concat([Buffer.from([5]), bytes(20)]))
  if (kind === 3) return segwitAddress(0, bytes(random.pick([20, 20, 32])))
  return segwitAddress(1, bytes(32))
}

const pad = (number, length) => String(number).padStart(length, '0')

function ssn(random) {
  let area = random.between(1, 899)
  if (area === 666) area = 667
  const parts = [pad(area, 3), pad(random.between(1, 99), 2), pad(random.between(1, 9999), 4)]
  return parts.join(random.pick(['-', '-', '-', '-', ' ', '']))
}

function itin(random) {
  const middle = random.pick([
    random.between(50, 65),
    random.between(70, 88),
    random.between(90, 92),
    random.between(94, 99),
  ])
  return [`9${random.digits(2)}`, String(middle), random.digits(4)].join(random.pick(['-', '-', '-', ' ', '']))
}

function nhs(random) {
  for (;;) {
    const body = `${random.pick(['4', '6', '7', '9'])}${random.digits(8)}`
    const last = nhsDigit(body)
    if (last === null) continue
    const number = body + last
    const separator = random.pick([' ', ' ', '-', ''])
    return [number.slice(0, 3), number.slice(3, 6), number.slice(6)].join(separator)
  }
}

function dea(random) {
  const body = random.digits(6)
  return random.letters(1, 'ABFGMPR') + random.pick([random.letters(1), random.letters(1), '9']) + body + deaDigit(body)
}

function person(random) {
  const first = random.pick(FIRST)
  const last = random.pick(LAST)
  const kind = random.below(10)
  if (kind < 6) return `${first} ${last}`
  if (kind === 6) return `${first} ${random.letters(1)}. ${last}`
  if (kind === 7) return `${first} ${random.pick(FIRST)} ${last}`
  if (kind === 8) return first
  return `${last}, ${first}`
}

const plain = (text) =>
  text
    .normalize('NFD')
    .replaceAll(/[^A-Za-z]/g, '')
    .toLowerCase()

function email(random) {
  const first = plain(random.pick(FIRST)) || 'kim'
  const last = plain(random.pick(LAST)) || 'lee'
  const user = random.pick([
    `${first}.${last}`,
    `${first}.${last}`,
    `${first[0]}${last}`,
    `${first}_${last}`,
    `${first}${random.digits(2)}`,
    `${first}+${random.pick(NOUNS)}`,
    `${last}-${random.pick(NOUNS)}`,
    `${random.pick(NOUNS)}s`,
    `${first}.${last}.${random.digits(4)}`,
    `${first[0].toUpperCase()}${first.slice(1)}.${last[0].toUpperCase()}${last.slice(1)}`,
  ])
  const domain = random.pick(DOMAINS)
  return `${user}@${random.chance(0.08) ? domain.toUpperCase() : domain}`
}

function place(random) {
  const kind = random.below(10)
  if (kind < 8) return random.pick(PLACES)
  if (kind === 8) return `${random.pick(PLACES.slice(0, 100))}, ${random.pick(PLACES.slice(130))}`
  return `${random.between(1, 400)} ${random.pick(STREETS)}`
}

function address(random) {
  const octet = () => random.below(256)
  const group4 = () => random.between(1, 65_535).toString(16)
  switch (random.below(8)) {
    case 0:
      return Array.from({ length: 8 }, group4).join(':')
    case 1:
      return `2001:db8::${group4()}`
    case 2:
      return `fe80::${Array.from({ length: 4 }, group4).join(':')}`
    case 3:
      return `10.${octet()}.${octet()}.${octet()}`
    case 4:
      return `192.168.${octet()}.${octet()}`
    default:
      return `${random.pick([23, 45, 81, 93, 141, 172, 198, 203])}.${octet()}.${octet()}.${random.between(1, 254)}`
  }
}

const PATHS = [
  '',
  '/',
  '/login',
  '/docs/start.html',
  '/a/b?id=17&sort=asc',
  '/search?q=blue+bike',
  '/v1/users/42#top',
  '/~kim/',
]

function url(random) {
  const domain = random.pick(DOMAINS)
  const path = random.pick(PATHS)
  switch (random.below(10)) {
    case 0:
      return `http://${domain}:8080${path}`
    case 1:
      return `www.${domain}${path}`
    case 2:
      return `${random.pick(['docs', 'app', 'blog'])}.${domain}${path}`
    case 3:
      return `http://${domain}${path}`
    case 4:
      return `HTTPS://${domain.toUpperCase()}${path}`
    default:
      return `https://${random.pick(['', '', 'www.', 'api.'])}${domain}${path}`
  }
}
