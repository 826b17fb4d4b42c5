import { z } from 'zod'
import { closest } from './closest.js'
import type { ConfigError } from './engine.js'

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly errors: readonly ConfigError[] }

/**
 * Parses configuration as the gateway does: an object schema takes no key that it does not name, even when it was made by
 * `z.object`; objects inside it are as strict as their author made them (`z.strictObject`). `problem` names the key and
 * never holds a value, though a known one that it resembles; `errors` are all that is wrong, each with its path inside the configuration. A schema that throws is a problem too.
 */
export function parseStrictly<T>(schema: z.ZodType<T>, value: unknown): Parsed<T> {
  const strict = schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema
  const keys = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  try {
    const parsed = strict.safeParse(value)
    if (parsed.success) return { ok: true, value: parsed.data as T }
    const { issues } = parsed.error
    const [first] = issues
    return {
      ok: false,
      problem: `${['config', ...(first?.path ?? [])].join('.')}: ${first === undefined ? 'is not valid' : messageOf(first, value)}`,
      errors: issues.flatMap((issue) => errorsOf(issue, { value, keys })),
    }
  } catch {
    const message = 'its schema throws'
    return { ok: false, problem: `config: ${message}`, errors: [{ message }] }
  }
}

/** One for each key that is wrong, with its path. */
function errorsOf(
  issue: z.core.$ZodIssue,
  { value, keys }: { readonly value: unknown; readonly keys: readonly string[] },
): ConfigError[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: `unknown key${path === '' ? hint(key, keys) : ''}`,
    }))
  const message = messageOf(issue, value)
  return [path === '' ? { message } : { path, message }]
}

/** A message may list all that is known; past this many nobody reads it. */
const MOST_LISTED = 20

function messageOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code !== 'invalid_value' || issue.values.length <= MOST_LISTED) return issue.message
  const given = issue.path.reduce<unknown>(
    (at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part],
    value,
  )
  return `is none of the ${issue.values.length} that are known${hint(given, issue.values.map(String))}`
}

function hint(given: unknown, known: readonly string[]): string {
  const meant = typeof given === 'string' ? closest(given, known) : undefined
  return meant === undefined ? '' : `; did you mean ${meant}?`
}
