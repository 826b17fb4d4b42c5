import { z } from 'zod'
import type { ConfigError } from './engine.js'

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly errors: readonly ConfigError[] }

/**
 * Parses configuration as the gateway does: an object schema takes no key that it does not name, even when it was made by
 * `z.object`; objects inside it are as strict as their author made them (`z.strictObject`). `problem` names the key and
 * never holds a value; `errors` are all that is wrong, each with its path inside the configuration. A schema that throws is a problem too.
 */
export function parseStrictly<T>(schema: z.ZodType<T>, value: unknown): Parsed<T> {
  const strict = schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema
  try {
    const parsed = strict.safeParse(value)
    if (parsed.success) return { ok: true, value: parsed.data as T }
    const [issue] = parsed.error.issues
    return {
      ok: false,
      problem: `${['config', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'is not valid'}`,
      errors: parsed.error.issues.flatMap(errorsOf),
    }
  } catch {
    const message = 'its schema throws'
    return { ok: false, problem: `config: ${message}`, errors: [{ message }] }
  }
}

/** One for each key that is wrong, with its path. */
function errorsOf(issue: z.core.$ZodIssue): ConfigError[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, message: 'unknown key' }))
  return [path === '' ? { message: issue.message } : { path, message: issue.message }]
}
