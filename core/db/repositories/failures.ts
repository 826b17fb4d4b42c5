import { GatehouseError } from '../../errors.js'

const UNIQUE = '23505'
const FOREIGN_KEY = '23503'
const CHECK = '23514'
/** Class 08 is the connection; 57P0x a server that ends or starts; 53xxx one without room; 25006 a replica without writes. */
const AWAY = /^(08...|57P0[1-5]|53...|25006)$/
const AWAY_SYSTEM = /^(ECONNREFUSED|ECONNRESET|ENOENT|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/
const AWAY_WORDS =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|not queryable|Cannot use a pool after|Driver not Connected|not been initialized|Query read timeout/i
/** A zero character or bytes that are no UTF-8: text that PostgreSQL cannot hold. */
const NOT_TEXT = /^(22021|22P05)$/

interface DriverFailure {
  readonly code?: string
  readonly message?: string
  readonly constraint?: string
  readonly detail?: string
}

/** Runs a database call; whatever PostgreSQL or the way to it throws comes out as one of the catalogue. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw asDatabaseError(thrown)
  }
}

/** Neither the statement's parameters nor the row that was refused go along: they may hold secrets and end up in a log. */
export function asDatabaseError(thrown: unknown): unknown {
  if (thrown instanceof GatehouseError) return thrown
  const failure = driverFailureOf(thrown)
  const code = failure.code ?? ''
  const message = failure.message ?? String(thrown)
  const detail = failure.constraint ?? `${code} ${message}`.trim()
  if (code === UNIQUE) return conflict(`${fieldOf(failure)} is taken already`, detail)
  if (code === FOREIGN_KEY) return conflict(brokenReference(failure), detail)
  if (code === CHECK) return invalid(`${fieldOf(failure)} is not valid`, detail)
  if (NOT_TEXT.test(code)) return invalid('a text holds a character that cannot be stored', detail)
  if (AWAY.test(code) || AWAY_SYSTEM.test(code) || AWAY_WORDS.test(message))
    return new GatehouseError('GH_DB_UNAVAILABLE', { detail, cause: new Error(message) })
  if (isQueryFailure(thrown)) return new GatehouseError('GH_INTERNAL', { detail, cause: new Error(message) })
  return thrown
}

const isQueryFailure = (thrown: unknown): boolean =>
  typeof thrown === 'object' && thrown !== null && 'driverError' in thrown

function driverFailureOf(thrown: unknown): DriverFailure {
  if (typeof thrown !== 'object' || thrown === null) return {}
  if ('driverError' in thrown && typeof thrown.driverError === 'object' && thrown.driverError !== null)
    return thrown.driverError
  // Node tries the addresses of a name one by one and throws all failures together.
  if (thrown instanceof AggregateError && thrown.errors[0] instanceof Error) return thrown.errors[0]
  return thrown
}

/** Constraints are named `<table>_<field>`; both are said in words. */
function fieldOf({ constraint = '' }: DriverFailure): string {
  return (
    SPECIAL[constraint] ??
    `the ${words(
      constraint
        .replace(/_check$/, '')
        .split('_')
        .slice(1),
    )} of this ${singular(constraint)}`
  )
}

const SPECIAL: Readonly<Record<string, string>> = {
  gateway_former_slugs_slug: 'the slug (or a former slug) of this gateway',
  assignments_as: 'the `as` of an assignment',
  assignments_scheme_identity: 'an identity exactly when the scheme is shared',
  idp_links_pkey: 'this account at the identity provider',
  connections_link: 'the connection of this host, gateway and user',
  public_names_name: 'the public name',
  public_names_owner: 'the public name',
  servers_url_or_command: 'exactly one of url and command',
  tokens_holder: 'a connection for an access token, a user for an admin token',
}

function brokenReference(failure: DriverFailure): string {
  if (/still referenced/.test(failure.detail ?? '')) return 'others still use it'
  const field = (failure.constraint ?? '').split('_').at(-1) ?? 'thing'
  return `the ${field} that it refers to does not exist`
}

const singular = (constraint: string): string =>
  (constraint.split('_')[0] ?? '').replace(/ies$/, 'y').replace(/s$/, '') || 'entry'
const words = (parts: readonly string[]): string => parts.join(' ') || 'key'

const conflict = (message: string, detail: string): GatehouseError =>
  new GatehouseError('GH_API_CONFLICT', { message, detail })
const invalid = (message: string, detail: string): GatehouseError =>
  new GatehouseError('GH_API_INVALID', { message, detail })

type Call = (...given: never[]) => Promise<unknown>

/** The same object, each of its calls guarded. */
export function guardAll<T extends object>(repository: T): T {
  const calls = Object.entries(repository).map(([name, call]: [string, Call]) => [
    name,
    (...given: never[]) => guarded(() => call(...given)),
  ])
  return Object.fromEntries(calls) as T
}
