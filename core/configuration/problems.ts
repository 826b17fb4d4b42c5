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

/** The word that a typing slip most probably meant, if there is one. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, far }) => far <= Math.max(1, Math.floor(candidate.length / 3)))
    .toSorted((a, b) => a.far - b.far)
  return near[0]?.candidate
}

/** Edits between two words; a swap of neighbours counts once (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? at(rows, i - 2, j - 2) + 1 : Infinity
      row.push(Math.min(at(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(rows, i - 1, j - 1) + cost, swap))
    }
    rows.push(row)
  }
  return at(rows, a.length, b.length)
}

const at = (rows: readonly (readonly number[])[], i: number, j: number): number => rows[i]?.[j] ?? 0

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
