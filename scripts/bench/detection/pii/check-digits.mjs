import { createHash } from 'node:crypto'

/** The digit that makes a number pass Luhn's test (ISO/IEC 7812-1, annex B). */
export function luhnDigit(body) {
  let sum = 0
  for (let at = 0; at < body.length; at += 1) {
    let digit = Number(body[body.length - 1 - at])
    if (at % 2 === 0) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2
    sum += digit
  }
  return String((10 - (sum % 10)) % 10)
}

/** The two digits of an IBAN (ISO 13616-1, 7.3). */
export function ibanDigits(country, account) {
  const text = `${account}${country}00`.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))
  let rest = 0
  for (const digit of text) rest = (rest * 10 + Number(digit)) % 97
  return String(98 - rest).padStart(2, '0')
}

/** The last digit of an NHS number; null when the nine digits have none. */
export function nhsDigit(nine) {
  const sum = Array.from(nine).reduce((total, digit, at) => total + Number(digit) * (10 - at), 0)
  const digit = (11 - (sum % 11)) % 11
  return digit === 10 ? null : String(digit)
}

/** The last digit of a DEA registration number. */
export function deaDigit(six) {
  const [a, b, c, d, e, f] = Array.from(six, Number)
  return String((a + c + e + 2 * (b + d + f)) % 10)
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest()
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

export function base58Check(payload) {
  const bytes = Buffer.concat([payload, sha256(sha256(payload)).subarray(0, 4)])
  let number = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (; number > 0n; number /= 58n) text = BASE58[Number(number % 58n)] + text
  for (const byte of bytes) {
    if (byte !== 0) break
    text = `1${text}`
  }
  return text
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

function polymod(values) {
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (let bit = 0; bit < 5; bit += 1) if ((top >>> bit) & 1) sum ^= GENERATOR[bit]
  }
  return sum >>> 0
}

/** A segwit address (BIP 173, BIP 350). */
export function segwitAddress(version, program) {
  const bits = Array.from(program, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const fives = bits.match(/.{1,5}/g).map((five) => Number.parseInt(five.padEnd(5, '0'), 2))
  const values = [version, ...fives]
  const prefix = [3, 3, 0, 2, 3]
  const sum = polymod([...prefix, ...values, 0, 0, 0, 0, 0, 0]) ^ (version === 0 ? 1 : 0x2bc830a3)
  const check = [25, 20, 15, 10, 5, 0].map((shift) => (sum >>> shift) & 31)
  return `bc1${[...values, ...check].map((value) => BECH32[value]).join('')}`
}
