import { randomBytes } from 'node:crypto'
import type { Json } from '@gatehouse/sdk'

/**
 * JSON as the wire has it, without changing a number: what a double cannot hold (64-bit ids, long decimals) travels through
 * the house as a marked string and leaves it as the digits that came. Rules see it as text.
 */

/** Letters only, new in every process: nobody can send a marker, and no pattern for digits or hex meets it by chance. */
const MARK = `\u{e000}${[...randomBytes(16)].map((byte) => String.fromCharCode(103 + (byte % 16))).join('')}:`
const MARKED = new RegExp(`"${MARK}(-?[0-9.eE+-]+)"`, 'g')
const LARGE_EXPONENT = /\d[eE][+-]?\d{2}/
/** So many signs has a number at least, the point too, that a double would change without an exponent. */
const LONG = 16
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

let anyMarked = false

/** Throws a `SyntaxError` as `JSON.parse` does. */
export function parseJson(text: string): Json {
  return JSON.parse(isSuspicious(text) ? marked(text) : text) as Json
}

/** What `parseJson` gave, perhaps changed, as text again. Where a number became part of a text, its digits stand there. */
export function writeJson(value: unknown): string {
  return withDigits(JSON.stringify(value))
}

/** A JSON text with the digits themselves where marked numbers stand. */
export const withDigits = (text: string): string =>
  hasMark(text) ? text.replaceAll(MARKED, '$1').replaceAll(MARK, '') : text

/** The digits of a number that was marked; any other text as it is. For where text is wanted and not JSON. */
export const withoutMark = (text: string): string => (isMarked(text) ? text.slice(MARK.length) : text)

/** Whether a value was no text on the wire, but a number that a double cannot hold. */
export const isMarked = (value: unknown): boolean => typeof value === 'string' && value.startsWith(MARK)

/** Whether a JSON text holds a mark: what outlives this process must not. */
export const hasMark = (text: string): boolean => anyMarked && text.includes(MARK)

/** Whether a value is nested deeper than this. What many read must not be, for it is written by recursion. */
export function isDeeper(value: Json | undefined, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((item: Json | undefined) => isDeeper(item, depth - 1))
}

/** False: no number in it would be changed. Only every 16th sign is looked at, for no long number passes between two. */
function isSuspicious(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isNumeral(text.charCodeAt(at))) continue
    let start = at
    let end = at + 1
    while (isNumeral(text.charCodeAt(start - 1))) start -= 1
    while (isNumeral(text.charCodeAt(end))) end += 1
    if (end - start >= LONG) return true
  }
  return LARGE_EXPONENT.test(text)
}

/** A digit or the point. */
const isNumeral = (code: number) => (code >= 48 && code <= 57) || code === 46

/** Puts a mark on each number that would not survive; strings are stepped over. */
function marked(text: string): string {
  let out = ''
  let copied = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 34) at = endOfString(text, at)
    else if (code === 45 || (code >= 48 && code <= 57)) {
      const end = endOfNumber(text, at)
      const token = text.slice(at, end)
      if (!survives(token)) {
        out += `${text.slice(copied, at)}"${MARK}${token}"`
        copied = end
      }
      at = end - 1
    }
  }
  if (copied === 0) return text
  anyMarked = true
  return out + text.slice(copied)
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at)
    if (at < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === 92) slashes += 1
    if (slashes % 2 === 0) return at
  }
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1
  while (end < text.length && '0123456789+-.eE'.includes(text[end] as string)) end += 1
  return end
}

/** What is no JSON number is left for the parser to refuse. */
function survives(token: string): boolean {
  if (!NUMBER.test(token)) return true
  const value = Number(token)
  if (String(value) === token) return true
  const digits = token
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
  if (!Number.isFinite(value) || (value === 0 && digits !== '')) return false
  return digits.replace(/0+$/, '').length <= 15
}
