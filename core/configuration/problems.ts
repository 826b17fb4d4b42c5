import { closest } from '@gatehouse/sdk'
import { z } from 'zod'
import { GatehouseError } from '../errors.js'
import type { ErrorCode } from '../errors.js'

/** What is wrong, and where in the document or the request. */
export interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/**
 * An object whose unknown keys are refused: with the key that was probably meant, or, for what Gatehouse is to have but
 * this version has not, with a word that says so.
 */
export function strict<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  notYet: Readonly<Record<string, string>> = {},
) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue['keys'] as string[]).map((key) => explain(key, known, notYet)).join('\n')
        : undefined,
  })
}

function explain(key: string, known: readonly string[], notYet: Readonly<Record<string, string>>): string {
  const later = Object.hasOwn(notYet, key) ? notYet[key] : undefined
  if (later !== undefined) return `${later} not in this version`
  const meant = closest(key, known)
  return `unknown key${meant === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${meant}?`}`
}

type Issue = z.core.$ZodIssue

/** The issues of a failed parse, one for each thing that is wrong; of a union, those of the branch that came closest. */
export function problemsOf(issues: readonly Issue[]): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue))
}

function problemsOfIssue(issue: Issue): Problem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n')
    return issue.keys.map((key, index) => ({ path: [...path, key], message: messages[index] ?? 'unknown key' }))
  }
  if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]?.message ?? issue.message }]
  if (issue.code === 'invalid_union') {
    const branch = issue.errors.find((errors) => errors.length > 0 && errors.every((error) => reachesInside(error)))
    if (branch) return problemsOf(branch).map((inner) => ({ ...inner, path: [...path, ...inner.path] }))
  }
  return [{ path, message: issue.message.replace(/^Invalid (input|option): /, '') }]
}

const reachesInside = (issue: Issue): boolean => issue.path.length > 0 || issue.code === 'unrecognized_keys'

export function writePath(path: readonly (string | number)[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index ? '.' : ''}${part}`)).join('')
}

/** A refusal that names the field; `data.field` is what the admin API shows. */
export function invalid(field: string, message: string, code: ErrorCode = 'GH_API_INVALID'): GatehouseError {
  return new GatehouseError(code, { message: field ? `${field}: ${message}` : message, data: field ? { field } : {} })
}

/** Parses with a schema; what does not fit is refused with the first field that is wrong. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [first] = problemsOf(parsed.error.issues)
  throw invalid(writePath(first?.path ?? []), first?.message ?? 'is not valid')
}

/** Puts a place before the field that a refusal names. */
export async function within<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error
    const inner = error.data?.['field']
    const field = typeof inner === 'string' && inner !== '' ? `${place}.${inner}` : place
    const message = typeof inner === 'string' ? error.message.replace(`${inner}: `, '') : error.message
    throw new GatehouseError(error.code, {
      message: `${field}: ${message}`,
      data: { ...error.data, field },
      cause: error,
    })
  }
}
