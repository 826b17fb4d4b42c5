import { createHash } from 'node:crypto'

/** Luhn's sum (ISO/IEC 7812-1, annex B). */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 48
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}

/** The remainder by 97 of a text of digits and capitals, as an IBAN's check wants it (ISO 13616-1, 7.3). */
export function modulo97(text: string): number {
  let rest = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    rest = code < 65 ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97
  }
  return rest
}

/** The check of an NHS number of ten digits: weights 10 to 1, modulo 11. */
export function passesModulo11(digits: string): boolean {
  let sum = 0
  for (let at = 0; at < 10; at += 1) sum += (digits.charCodeAt(at) - 48) * (10 - at)
  return sum % 11 === 0
}

/** The check digit of a DEA registration number's seven digits. */
export function passesDea(digits: string): boolean {
  const at = (index: number) => digits.charCodeAt(index) - 48
  return (at(0) + at(2) + at(4) + 2 * (at(1) + at(3) + at(5))) % 10 === at(6)
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

/** A Bitcoin address of the older kinds: a version byte (0 or 5), 20 bytes, four of a double SHA-256. */
export function passesBase58(text: string): boolean {
  let number = 0n
  for (const sign of text) {
    const value = BASE58.indexOf(sign)
    if (value === -1) return false
    number = number * 58n + BigInt(value)
  }
  const hex = number.toString(16)
  if (hex.length > 50) return false
  const bytes = Buffer.from(hex.padStart(50, '0'), 'hex')
  if (bytes[0] !== 0 && bytes[0] !== 5) return false
  return sha256(sha256(bytes.subarray(0, 21))).compare(bytes, 21, 25, 0, 4) === 0
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const
/** What the sum must be: version 0 of a segwit address (BIP 173), all later ones (BIP 350). */
const CONSTANTS = { zero: 1, later: 0x2bc830a3 } as const

/** A segwit address of the main network, `bc1…`, in one case. */
export function passesBech32(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower !== text && text.toUpperCase() !== text) return false
  const values = Array.from(lower.slice(3), (sign) => BECH32.indexOf(sign))
  if (values.includes(-1)) return false
  let sum = 1
  for (const value of [3, 3, 0, 2, 3, ...values]) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, term] of GENERATOR.entries()) if ((top >>> bit) & 1) sum ^= term
  }
  return sum >>> 0 === (values[0] === 0 ? CONSTANTS.zero : CONSTANTS.later)
}
