import { Plain, Text } from '@gatehouse/rule-assemblyscript/assembly'
import { decodePercent } from './percent'

/** How telling a piece is: two of the weaker, or one of the stronger, are no chance. */
export const WEAK: i32 = 1
export const STRONG: i32 = 2

const BASIS: u32 = 2166136261
const LEAST_TOKEN: i32 = 8
const LONG_TOKEN: i32 = 16
const LEAST_DIGITS: i32 = 8
const MANY_DIGITS: i32 = 12
/** Letters and digits of a sentence or a line. */
const LEAST_SENTENCE: i32 = 32

/** A piece of a text that is unlikely to be in another one by chance. */
@final
export class Piece {
  constructor(
    readonly print: u32,
    readonly weight: i32,
    public start: i32,
    public end: i32,
  ) {}
}

/** The telling pieces of a text: identifiers, addresses of mail, long numbers however they are spaced, sentences, lines. */
export function piecesOf(text: Text): Piece[] {
  const plain = new Plain(text)
  const pieces = read(plain.text)
  for (let i = 0; i < pieces.length; i++) {
    pieces[i].start = plain.place(pieces[i].start)
    pieces[i].end = plain.place(pieces[i].end)
  }
  if (text.indexOf('%') >= 0) addDecoded(text, pieces)
  return pieces
}

function read(text: Text): Piece[] {
  const pieces: Piece[] = []
  readTokens(text, pieces)
  readNumbers(text, pieces)
  readSentences(text, pieces)
  return pieces
}

/** What is there only when a URL in it is decoded: its place is the whole text. */
function addDecoded(text: Text, pieces: Piece[]): void {
  const known = new Set<u32>()
  for (let i = 0; i < pieces.length; i++) known.add(pieces[i].print)
  const more = read(decodePercent(text))
  for (let i = 0; i < more.length; i++) {
    if (!known.has(more[i].print)) pieces.push(new Piece(more[i].print, more[i].weight, 0, text.length))
  }
}

function readTokens(text: Text, pieces: Piece[]): void {
  const base = text.at
  const size = text.length
  let i = 0
  while (i < size) {
    if (!isTokenSign(<i32>load<u8>(base + i))) {
      i++
      continue
    }
    let start = i
    while (i < size && isTokenSign(<i32>load<u8>(base + i))) i++
    if (i - start < LEAST_TOKEN) continue
    let end = i
    while (start < end && !isWordSign(text.byteAt(start))) start++
    while (end > start && !isWordSign(text.byteAt(end - 1))) end--
    if (end - start >= LEAST_TOKEN) addToken(text, start, end, pieces)
  }
}

function addToken(text: Text, start: i32, end: i32, pieces: Piece[]): void {
  let hash = BASIS
  let letters = 0
  let digits = 0
  let isAddress = false
  for (let i = start; i < end; i++) {
    const c = text.byteAt(i)
    if (isDigit(c)) digits++
    else if (c == 0x40) isAddress = true
    else if (isWordSign(c)) letters++
    hash = add(hash, c)
  }
  if (isDate(text, start, end)) return
  if (!isAddress && (letters == 0 || digits < 2)) return
  const weight = isAddress || end - start >= LONG_TOKEN ? STRONG : WEAK
  pieces.push(new Piece(fold(hash, 1), weight, start, end))
}

/** Digits, with single spaces, points or dashes between them. */
function readNumbers(text: Text, pieces: Piece[]): void {
  const base = text.at
  const size = text.length
  let i = 0
  while (i < size) {
    if (!isDigit(<i32>load<u8>(base + i))) {
      i++
      continue
    }
    const start = i
    let end = i
    let hash = BASIS
    let digits = 0
    for (; i < size; i++) {
      const c = <i32>load<u8>(base + i)
      if (isDigit(c)) {
        hash = add(hash, c)
        digits++
        end = i + 1
      } else if (!isGap(c) || !isDigit(text.byteAt(i + 1))) break
    }
    if (digits < LEAST_DIGITS || isDate(text, start, end)) continue
    pieces.push(new Piece(fold(hash, 2), digits >= MANY_DIGITS ? STRONG : WEAK, start, end))
  }
}

/** Only letters and digits count, and not their case: neither quoting nor new line breaks in words hide a sentence. */
function readSentences(text: Text, pieces: Piece[]): void {
  let hash = BASIS
  let count = 0
  let start = 0
  let end = 0
  const base = text.at
  const size = text.length
  for (let i = 0; i <= size; i++) {
    const c = i < size ? <i32>load<u8>(base + i) : 0x0a
    if (isWordSign(c)) {
      if (count == 0) start = i
      hash = add(hash, c)
      count++
      end = i + 1
      continue
    }
    if (c == 0x20 || (c != 0x0a && !(isStop(c) && text.byteAt(i + 1) <= 0x20))) continue
    if (count >= LEAST_SENTENCE) pieces.push(new Piece(fold(hash, 3), STRONG, start, end))
    hash = BASIS
    count = 0
  }
}

/** FNV-1a over small letters. */
function add(hash: u32, c: i32): u32 {
  return (hash ^ (<u32>(c >= 0x41 && c <= 0x5a ? c | 32 : c))) * 16777619
}

/** 30 bits: what five signs of base64 hold. */
function fold(hash: u32, kind: u32): u32 {
  const mixed = (hash ^ (kind * 0x9e3779b9)) * 0x85ebca6b
  return (mixed ^ (mixed >>> 15)) & 0x3fffffff
}

/** `2026-11-26` and what may follow it: times are in every answer. */
function isDate(text: Text, start: i32, end: i32): bool {
  if (end - start < 10) return false
  for (let i = 0; i < 10; i++) {
    const c = text.byteAt(start + i)
    if (i == 4 || i == 7 ? c != 0x2d && c != 0x2e && c != 0x2f : !isDigit(c)) return false
  }
  const after = text.byteAt(start + 10)
  return end - start == 10 || (after | 32) == 0x74 || isGap(after)
}

// A bit for each sign, up to `?` and from `@` on.
const DIGITS: i64 = (<i64>0x03ff0000) << 32
const SIGNS: i64 = (<i64>0x03ff6800) << 32
const LETTERS: i64 = ((<i64>0x07fffffe) << 32) | 0x87fffffe

/** Letters, digits and `+ - . @ _`: neither what parts a URL, nor what stands between a name and a value. */
function isTokenSign(c: i32): bool {
  return c >= 0x80 || (((c < 0x40 ? SIGNS : LETTERS | 1) >> (c & 63)) & 1) != 0
}

/** Letters, digits and `_`. */
function isWordSign(c: i32): bool {
  return c >= 0x80 || (((c < 0x40 ? DIGITS : LETTERS) >> (c & 63)) & 1) != 0
}

function isStop(c: i32): bool {
  return c == 0x2e || c == 0x21 || c == 0x3f
}

function isDigit(c: i32): bool {
  return c >= 0x30 && c <= 0x39
}

function isGap(c: i32): bool {
  return c == 0x20 || c == 0x2d || c == 0x2e
}
