import { SIGNATURE_HEADER, signBody } from '@gatehouse/sdk'
import type { Question } from '@gatehouse/sdk'
import type { Instance } from './config.js'

/** The most that goes either way. */
export const MOST_BYTES = 16 * 1024 * 1024
/** What passes by itself; a 500 is the engine's own fault, and would be again. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504])

export interface Sending {
  readonly instance: Instance
  /** Headers of the client, in lower case, to be sent on. */
  readonly forwarded: Readonly<Record<string, string>>
  readonly json: string
  readonly now: () => number
}

/** What is asked of the engine: the same at each attempt, save for the time in its signature. */
export function questionOf({ instance, forwarded, json, now }: Sending): Pick<Question, 'url' | 'init' | 'passing'> {
  const { url, method } = instance
  const init = () => ({
    method,
    headers: headersOf(instance, forwarded, signed(instance, json, now())),
    body: json,
    maxBytes: MOST_BYTES,
  })
  return { url, init, passing: PASSING }
}

function signed({ secret }: Instance, json: string, now: number): Readonly<Record<string, string>> {
  return secret === undefined ? {} : { [SIGNATURE_HEADER]: signBody(secret, json, now) }
}

/** A configured header wins over the client's of the same name, and ours over both. */
function headersOf(
  { headers }: Instance,
  forwarded: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, string>>,
): Record<string, string> {
  const configured = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return { ...forwarded, ...Object.fromEntries(configured), ...ours, 'content-type': 'application/json' }
}
