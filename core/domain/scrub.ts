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

/** What a secret is called in a text, whatever is written before it (`PGPASSWORD`, `GITHUB_TOKEN`). What counts tokens is not one. */
const NAMED = String.raw`(?<!(?:estimated|input|output|total|max|prompt|completion)[_-]?)tokens?|secret(?:[_-]?key)?|passw(?:or)?d|passphrase|(?:api|access|private|encryption|signing)[_-]?key|client[_-]?assertion|code[_-]?verifier|session[_-]?id|\b(?:sig(?:nature)?|pwd|jwt|otp|bearer)`
const HEADER = String.raw`\b(?:proxy-)?authorization|\b(?:set-)?cookies?2?|\bx-api-key`
/** A quote as it stands, or as it stands in a text within a text. */
const QUOTE = String.raw`\\{0,4}["']`
const IS = String.raw`\s{0,9}(?:=>|:=|[:=]|%3[AD])\s{0,9}`
const NOT_YET = String.raw`(?!\[REDACTED\])`

/** In this order: a whole header goes before the token in it would. Every repetition is bounded, so that none backtracks for long. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, REDACTED],
  // As a pair (`["cookie", "…"]`), or with a key of its own for the value.
  [
    new RegExp(
      String.raw`((?:${HEADER}|${NAMED})${QUOTE}\s{0,9},\s{0,9}${QUOTE}value${QUOTE}\s{0,9}:\s{0,9})(${QUOTE})${NOT_YET}(?:(?!\2).){1,4096}`,
      'gis',
    ),
    `$1$2${REDACTED}`,
  ],
  [
    new RegExp(
      String.raw`((?:${HEADER})(?:${QUOTE})?(?:${IS}|\s{0,9},\s{0,9}))(${QUOTE})(?!value\b)${NOT_YET}(?:(?!\2).){1,4096}`,
      'gis',
    ),
    `$1$2${REDACTED}`,
  ],
  [new RegExp(String.raw`((?:${HEADER})${IS})(?!\s|\\{0,4}["']|\[)[^\r\n]{1,4096}`, 'gi'), `$1${REDACTED}`],
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#]{1,1024}@/gi, `$1${REDACTED}@`],
  // Whoever knows such an address may post there.
  [
    /\b(hooks\.slack\.com\/(?:services|workflows|triggers)|discord(?:app)?\.com\/api\/webhooks)\/[\w/-]{1,512}/gi,
    `$1/${REDACTED}`,
  ],
  [/\b(bot\d{5,20}):[\w-]{20,100}/g, `$1:${REDACTED}`],
  [
    new RegExp(String.raw`((?:${NAMED})(?:${QUOTE})?${IS})(${QUOTE})${NOT_YET}(?:(?!\2).){1,4096}`, 'gis'),
    `$1$2${REDACTED}`,
  ],
  [
    new RegExp(String.raw`((?:${NAMED})(?:${QUOTE})?${IS})${NOT_YET}(?!>)[^\s"'&,;}<\\]{1,4096}`, 'gi'),
    `$1${REDACTED}`,
  ],
  [new RegExp(String.raw`(<(?:[\w.:-]{0,40}?)(?:${NAMED})>\s{0,9})${NOT_YET}[^<]{1,4096}`, 'gi'), `$1${REDACTED}`],
  [
    new RegExp(String.raw`(\B--[\w-]{0,40}?(?:${NAMED})\s{1,9})${NOT_YET}[^\s"'-][^\s"']{0,4095}`, 'gi'),
    `$1${REDACTED}`,
  ],
  [/([?&](?:code|key|auth|jwt|sid|session|x-amz-[a-z-]{1,40})=)(?!\[REDACTED\])[^\s"'&#]{1,4096}/gi, `$1${REDACTED}`],
  [/\b(Bearer|Basic|DPoP)\s{1,9}(?=[^\s]{0,200}[\d=_+/.]|[A-Za-z]{20})[A-Za-z0-9._~+/=-]{8,4096}/gi, `$1 ${REDACTED}`],
  [/\b(API|gpat|gscim)_[A-Za-z0-9_-]{16,512}/g, `$1_${REDACTED}`],
  [/\beyJ[A-Za-z0-9_-]{6,4096}\.[A-Za-z0-9_-]{4,8192}(?:\.[A-Za-z0-9_-]{0,4096})?/g, REDACTED],
  [
    /\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,255}|sk-[\w-]{20,255}|[srp]k_(?:live|test)_\w{10,255}|xox[abeprs]-[\w-]{10,255}|xapp-[\w-]{10,255}|npm_[A-Za-z0-9]{30,255}|pypi-[\w-]{16,512}|hf_[A-Za-z0-9]{20,255}|A[KS]IA[A-Z0-9]{16}|AIza[\w-]{30,60}|ya29\.[\w-]{20,1024}|SG\.[\w-]{16,64}\.[\w-]{16,128}|whsec_[\w+/=-]{16,255}|shp(?:at|ss|ca)_[a-f0-9]{20,64}|dop_v1_[a-f0-9]{32,128})/g,
    REDACTED,
  ],
]

/** A key with its case, underscores and dashes taken away. */
const SECRET_KEY =
  /authorization$|cookies?2?$|tokens?(value)?$|secrets?$|passw(or)?d(hash)?$|passphrase$|passcode$|^(db|user)?pass$|^pwd$|(api|secret|encryption|signing|ssh)keys?(value)?$|accesskey(id)?$|privatekey(pem)?$|^xkey$|sessionid$|assertion$|codeverifier$|credentials$|^(jwt|otp|bearer|dsn)$|connectionstring$/
/** What counts tokens is not one. */
const COUNTED = /^(estimated|input|output|total|max|prompt|completion)tokens$/

const namesSecret = (key: string): boolean => {
  const bare = key
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
  return SECRET_KEY.test(bare) && !COUNTED.test(bare)
}

/** A header that goes with a secret, where names and values stand side by side. */
const HEADER_NAME = /^(?:(?:proxy-)?authorization|(?:set-)?cookie2?|x-[a-z-]{0,60}(?:token|key|secret))$/i

/** Names below `properties` of a schema are those of parameters: what stands there describes a secret and is none. */
function scrubObject(given: JsonObject, depth: number, describes: boolean): JsonObject {
  const entries = Object.entries(given).slice(0, MOST_ENTRIES)
  const name = given['name'] ?? given['key']
  const namesValue = typeof name === 'string' && namesSecret(name)
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const isDescription = describes && typeof value === 'object' && value !== null && !Array.isArray(value)
      const isNamed = namesSecret(key) || (namesValue && key === 'value')
      const hides = isNamed && !isDescription && value !== null && typeof value !== 'boolean'
      return [scrubText(key), hides ? REDACTED : scrubValue(value ?? null, depth + 1, key === 'properties')]
    }),
  )
}

function scrubValue(value: Json, depth: number, describes: boolean): Json {
  if (typeof value === 'string') return scrubText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return '[too deep]'
  if (Array.isArray(value))
    return value.slice(0, MOST_ENTRIES).map((one: Json, at) => {
      const before: unknown = value[at - 1]
      if (typeof before === 'string' && HEADER_NAME.test(before)) return REDACTED
      return scrubValue(one, depth + 1, false)
    })
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
