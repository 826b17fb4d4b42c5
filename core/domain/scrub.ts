import type { Alert, Json, JsonObject } from '@gatehouse/sdk'
import { clip } from './clip.js'

const REDACTED = '[REDACTED]'
const MOST_CONTEXT = 64 * 1024
const LONGEST_TEXT = 8 * 1024
const MOST_ENTRIES = 200
const DEEPEST = 12

/**
 * An alert as it may be stored and delivered: no value under a key that names a secret, nothing that has the shape of a
 * token, and a context of at most 64 KiB. Doing it twice changes nothing.
 */
export function scrubAlert(alert: Alert): Alert {
  const { key, message, context } = alert
  const clean = { ...alert, key: scrubText(key), message: scrubText(message) }
  return context === undefined ? clean : { ...clean, context: bounded(scrubObject(context, 0, false)) }
}

/**
 * Token shapes inside a text, whatever stands around them. A longer text is cut at 8 Ki characters, and what no database
 * can hold (NUL, half a character) becomes U+FFFD.
 */
export function scrubText(text: string): string {
  let clean = clip(text, LONGEST_TEXT).replaceAll(/\0|\p{Surrogate}/gu, '\ufffd')
  for (const [shape, instead] of SHAPES) clean = clean.replace(shape, instead)
  return clean
}

/** In this order: a whole header goes before the token in it would. Every repetition is bounded, so that none backtracks for long. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, REDACTED],
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie2?|x-api-key)(["']?\s{0,9}[:=]\s{0,9}["'])[^"']{1,4096}/gi,
    `$1$2${REDACTED}`,
  ],
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie2?|x-api-key)(\s{0,9}[:=]\s{0,9})(?!\s|["'[])[^\r\n]{1,4096}/gi,
    `$1$2${REDACTED}`,
  ],
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#]{1,1024}@/gi, `$1${REDACTED}@`],
  [
    /\b((?:access|refresh|id|auth|api|bearer|session|csrf)?[_-]?tokens?|(?:client|app|shared|signing)?[_-]?secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|client[_-]?assertion|code[_-]?verifier|sig(?:nature)?)(["']?\s{0,9}[:=]\s{0,9}["']?)(?!\[REDACTED\])[^\s"'&,;}]{1,4096}/gi,
    `$1$2${REDACTED}`,
  ],
  [/([?&](?:code|key|auth|jwt|sid|session|x-amz-[a-z-]{1,40})=)(?!\[REDACTED\])[^\s"'&#]{1,4096}/gi, `$1${REDACTED}`],
  [/\b(Bearer|Basic|DPoP)\s{1,9}(?=[^\s]{0,200}[\d=_+/.])[A-Za-z0-9._~+/=-]{8,4096}/gi, `$1 ${REDACTED}`],
  [/\b(API|gpat|gscim)_[A-Za-z0-9_-]{16,512}/g, `$1_${REDACTED}`],
  [/\beyJ[A-Za-z0-9_-]{6,4096}\.[A-Za-z0-9_-]{4,8192}(?:\.[A-Za-z0-9_-]{0,4096})?/g, REDACTED],
  [
    /\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,255}|sk-[\w-]{20,255}|[srp]k_(?:live|test)_\w{10,255}|xox[abeprs]-[\w-]{10,255}|npm_[A-Za-z0-9]{30,255}|hf_[A-Za-z0-9]{20,255}|AKIA[A-Z0-9]{16}|AIza[\w-]{30,60})/g,
    REDACTED,
  ],
]

/** A key with its case, underscores and dashes taken away. */
const SECRET_KEY =
  /authorization$|cookie2?$|tokens?$|secrets?$|passw(or)?d$|passphrase$|^pwd$|api_?keys?$|accesskey(id)?$|privatekey$|signingkey$|^xkey$|sessionid$|assertion$|codeverifier$|credentials$/
/** What counts tokens is not one. */
const COUNTED = /^(estimated|input|output|total|max|prompt|completion)tokens$/

const namesSecret = (key: string): boolean => {
  const bare = key.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  return SECRET_KEY.test(bare) && !COUNTED.test(bare)
}

/** Names below `properties` of a schema are those of parameters: what stands there describes a secret and is none. */
function scrubObject(given: JsonObject, depth: number, describes: boolean): JsonObject {
  const entries = Object.entries(given).slice(0, MOST_ENTRIES)
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const isDescription = describes && typeof value === 'object' && value !== null && !Array.isArray(value)
      const hides = namesSecret(key) && !isDescription && value !== null && typeof value !== 'boolean'
      return [scrubText(key), hides ? REDACTED : scrubValue(value ?? null, depth + 1, key === 'properties')]
    }),
  )
}

function scrubValue(value: Json, depth: number, describes: boolean): Json {
  if (typeof value === 'string') return scrubText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return '[too deep]'
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((one: Json) => scrubValue(one, depth + 1, false))
  return scrubObject(value as JsonObject, depth, describes)
}

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** The longest entries give way until the rest fits. */
function bounded(context: JsonObject): JsonObject {
  if (sizeOf(context) <= MOST_CONTEXT) return context
  const kept: Record<string, Json> = {}
  let left = MOST_CONTEXT - 200
  const bySize = Object.entries(context).map(([key, value]) => ({
    key,
    value: value as Json,
    size: sizeOf(value ?? null),
  }))
  for (const { key, value, size } of bySize.toSorted((a, b) => a.size - b.size)) {
    const fits = size + Buffer.byteLength(key) + 4 <= left
    const entry: Json = fits ? value : `[left out: ${size} bytes]`
    left -= sizeOf(entry) + Buffer.byteLength(key) + 4
    if (left < 0) break
    kept[key] = entry
  }
  return kept
}
