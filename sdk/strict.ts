import { z } from 'zod'

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

/**
 * Parses configuration as the gateway does: an object schema takes no key that it does not name, even when it was made by
 * `z.object`; objects inside it are as strict as their author made them (`z.strictObject`). `problem` names the key and
 * never holds a value. A schema that throws is a problem too.
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
    }
  } catch {
    return { ok: false, problem: 'config: its schema throws' }
  }
}
