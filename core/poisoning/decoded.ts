import { plainOf } from './plain.js'
import type { ReadText } from './types.js'

export interface Decoded {
  readonly plain: string
  readonly how: string
  /** Whether it is suspicious for being encoded at all: much, a little, or (null) not. */
  readonly isPlainGuile: boolean | null
}

/** Beyond this, only the head of a text is turned round or shifted. */
const MOST_TURNED = 4_096
const MOST_RUNS = 8
/** What is read of all encoded words of a text. */
const MOST_DECODED = 8 * 1024

/** Turning a text yields noise, which is only worth judging where it has one of these. */
const TELLS = /instruction|password|secret|credential|private key|system prompt|token|id_rsa|the user/

const BASE64 = /[A-Za-z0-9+/_-]{16,4096}={0,2}/g
const HEX = /(?:[0-9a-f]{2}){12,4096}/gi
const PERCENT = /(?:%[0-9a-f]{2}){6,2048}/gi
const ENTITIES = /(?:&#x?[0-9a-f]{1,6}; ?){6,1024}/gi
const ESCAPES = /(?:\\(?:u[0-9a-f]{4}|x[0-9a-f]{2})){6,1024}/gi
const BITS = /(?:[01]{8} ?){6,1024}/g

/** What parts of a text say once decoded; only what comes out as words is given. */
export function decodedIn({ text, role }: Pick<ReadText, 'text' | 'role'>): readonly Decoded[] {
  if (text.length < 16) return []
  const found = [
    ...runs(text, BASE64, 'Base64', (run) => Buffer.from(run, 'base64').toString('latin1')),
    ...runs(text, HEX, 'hex', (run) => Buffer.from(run, 'hex').toString('latin1')),
    ...runs(text, PERCENT, 'percent encoding', (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('latin1')),
    ...runs(text, ENTITIES, 'entities', (run) => run.replaceAll(/&#(x?)([0-9a-f]{1,6});/gi, fromEntity)),
    ...runs(text, ESCAPES, 'escapes', (run) =>
      run.replaceAll(/\\[ux]([0-9a-f]{2,4})/gi, (_, hex: string) => sign(Number.parseInt(hex, 16))),
    ),
    ...runs(text, BITS, 'binary', (run) =>
      (run.match(/[01]{8}/g) ?? []).map((bits) => sign(Number.parseInt(bits, 2))).join(''),
    ),
  ]
  return role === 'prose' ? [...found, ...turned(text.slice(0, MOST_TURNED))] : found
}

function runs(text: string, pattern: RegExp, how: string, decode: (run: string) => string): Decoded[] {
  return (text.match(pattern) ?? [])
    .map(decode)
    .filter(isWords)
    .slice(0, MOST_RUNS)
    .map((words) => words.slice(0, MOST_DECODED / MOST_RUNS))
    .map((words) => ({ plain: plainOf(words), how: `${how} that reads as words`, isPlainGuile: how !== 'Base64' }))
}

/** The same text read from its end, and with its letters shifted by half the alphabet. */
function turned(text: string): Decoded[] {
  const plain = plainOf(text)
  const shifted = plain.replaceAll(/[a-z]/g, (letter) => sign(((letter.charCodeAt(0) - 97 + 13) % 26) + 97))
  const turnings = [
    { plain: [...plain].toReversed().join(''), how: 'reversed words', isPlainGuile: null },
    { plain: shifted, how: 'ROT13 words', isPlainGuile: null },
  ]
  return turnings.filter(({ plain }) => TELLS.test(plain))
}

function isWords(text: string): boolean {
  if (text.length < 8 || !/^[\t\n\r\x20-\x7e]*$/.test(text)) return false
  return /[a-z]{2} [a-z]{2}|"[a-z]{3,40}"/i.test(text)
}

function fromEntity(_: string, isHex: string, code: string): string {
  return sign(Number.parseInt(code, isHex === '' ? 10 : 16))
}

function sign(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : ''
}
