import { RuleFault } from './fault.js'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** UTF-8 of a rule, strictly. Throws `RuleFault`. */
export function decodeStrict(bytes: Uint8Array, what: string): string {
  try {
    return strict.decode(bytes)
  } catch {
    throw new RuleFault('trap', `gave ${what} that is no UTF-8`)
  }
}

export const encodeText = (text: string): Uint8Array => encoder.encode(text)

/** A rule's words for people: bytes that are no UTF-8 are replaced, control and direction signs escaped. At most `most` bytes are read. */
export function decodeForPeople(bytes: Uint8Array, most: number): string {
  return escapeControls(lenient.decode(bytes.subarray(0, most)))
}

export function escapeControls(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Whether it holds half of a character: a surrogate without its other half. */
export const isTorn = (text: string): boolean => /\p{Surrogate}/u.test(text)
