import { invalid } from '../problems.js'
import { isSecretKey } from '../schemas.js'
import type { Values } from '../secrets.js'

/** What nouns do with the keys that belong to their plugin: some are sealed, some lead to another machine. */

type Keys = Readonly<Record<string, unknown>>

/** `sealed` is flat: `apiKey`, and `headers.Authorization` for a record. */
export interface Apart {
  readonly plain: Record<string, unknown>
  readonly sealed: Values
}

/** Keys that are declared as secret, and those whose name says so, are sealed: each a text or a record of texts. */
export function takeApart(keys: Keys, declared: readonly string[]): Apart {
  const plain: Record<string, unknown> = {}
  const sealed: Record<string, string> = {}
  for (const [key, value] of Object.entries(keys)) {
    if (typeof value === 'string' && (declared.includes(key) || isSecretKey(key))) sealed[key] = value
    else if (declared.includes(key) && !isEmpty(value)) Object.assign(sealed, recordOf(key, value))
    else plain[key] = value
  }
  return { plain, sealed }
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0

function recordOf(key: string, value: unknown): Values {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(key, 'is kept sealed: it must be a text, or a record of texts')
  const entries = Object.entries(value).map(([name, text]) => {
    if (typeof text !== 'string') throw invalid(`${key}.${name}`, 'is kept sealed: it must be a text')
    return [`${key}.${name}`, text] as const
  })
  return Object.fromEntries(entries)
}

/** The keys as they were given. */
export function putTogether(plain: Keys, sealed: Values): Record<string, unknown> {
  const keys: Record<string, unknown> = { ...plain }
  for (const [field, value] of Object.entries(sealed)) {
    const dot = field.indexOf('.')
    if (dot < 0) keys[field] = value
    else {
      const key = field.slice(0, dot)
      keys[key] = { ...(keys[key] as object | undefined), [field.slice(dot + 1)]: value }
    }
  }
  return keys
}

/**
 * A stored secret must not follow an address to where whoever changes the address could read it: when one of `addresses` leads
 * to another origin, every secret that is kept must be given anew.
 */
export function mustNotFollow(
  before: Keys,
  after: Keys,
  { addresses, secrets, given }: { addresses: readonly string[]; secrets: readonly string[]; given: Keys },
): void {
  const moved = addresses.find((key) => originOf(before[key]) !== originOf(after[key]))
  if (moved === undefined) return
  const kept = secrets.find((key) => after[key] !== undefined && given[key] === undefined)
  const what = moved === 'url' ? 'address' : moved
  if (kept !== undefined) throw invalid(kept, `the ${what} has another origin: give the secret anew`)
}

/** What has none, such as `fd00::5`, which reads like a scheme, is its own. */
export function originOf(url: unknown): string {
  const origin = typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : 'null'
  return origin === 'null' ? String(url) : origin
}

/** The keys that hold addresses of other machines. */
export const addressKeys = (keys: Keys): string[] =>
  Object.entries(keys).flatMap(([key, value]) =>
    /url$/i.test(key) || (typeof value === 'string' && /^https?:\/\//i.test(value)) ? [key] : [],
  )

/** The keys of fields that are sealed: `headers` of `headers.Authorization`. */
export const keysOf = (fields: readonly string[]): string[] => [
  ...new Set(fields.map((field) => field.split('.')[0] ?? field)),
]

/** Without the keys that were left out. */
export const present = (input: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
