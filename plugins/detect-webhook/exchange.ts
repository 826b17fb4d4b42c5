import { setTimeout as wait } from 'node:timers/promises'
import { egressCode, SIGNATURE_HEADER, signBody } from '@gatehouse/sdk'
import type { PluginFetch, PluginResponse } from '@gatehouse/sdk'
import type { Instance } from './config.js'

/** The most that goes either way. */
export const MOST_BYTES = 16 * 1024 * 1024

/** One attempt: what came back, or why nothing did. `text` holds nothing of the message. */
export type Attempt =
  | { readonly ok: true; readonly response: PluginResponse; readonly ms: number }
  | { readonly ok: false; readonly text: string; readonly ms: number; readonly retry: Retry | null }

interface Retry {
  /** As the engine asked, in milliseconds. */
  readonly afterMs: number
}

export interface Sending {
  readonly instance: Instance
  /** Of the client, in lower case, to be sent on. */
  readonly forwarded: Readonly<Record<string, string>>
  readonly json: string
  readonly signal: AbortSignal
  /** Milliseconds since the epoch at which an answer is too late. */
  readonly until: number
}

/** What an exchange needs of the world. */
export interface World {
  readonly fetch: PluginFetch
  readonly now: () => number
  /** Told of every attempt that is to be tried again. */
  readonly onRetry: (attempt: number, text: string) => void
}

/** Milliseconds before the second and the third attempt, and up to a quarter more, so that callers do not come all at once. */
const PAUSES = [200, 800]

/**
 * Asks the engine, and again where that can help: at most twice, within one budget of time for all attempts. What the engine
 * asks for (`Retry-After`) is heeded if it fits into that budget; if not, it has failed.
 */
export async function exchange(world: World, sending: Sending): Promise<Attempt> {
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(world, sending)
    const pause = PAUSES[attempt]
    if (outcome.ok || outcome.retry === null || pause === undefined) return outcome
    const pauseMs = Math.max(pause * (1 + Math.random() / 4), outcome.retry.afterMs)
    if (Date.now() + pauseMs >= sending.until) return outcome
    world.onRetry(attempt + 1, outcome.text)
    await wait(pauseMs, undefined, { signal: sending.signal })
  }
}

export async function attemptOnce(
  world: World,
  { instance, forwarded, json, signal, until }: Sending,
): Promise<Attempt> {
  const started = performance.now()
  const elapsed = () => Math.round(performance.now() - started)
  try {
    const response = await world.fetch(instance.url, {
      method: instance.method,
      headers: headersOf(instance, forwarded, signed(instance, json, world.now())),
      body: json,
      signal,
      timeoutMs: Math.max(1, until - Date.now()),
      maxBytes: MOST_BYTES,
    })
    return judge(response, elapsed(), world.now())
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return { ok: false, ...told(thrown), ms: elapsed() }
  }
}

function judge(response: PluginResponse, ms: number, now: number): Attempt {
  const { status } = response
  if (status >= 200 && status < 300) return { ok: true, response, ms }
  const retry = RETRIED.has(status) ? { afterMs: retryAfter(response.header('retry-after'), now) } : null
  return { ok: false, text: `the engine answered HTTP ${status}`, ms, retry }
}

const RETRIED: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Seconds or a date (RFC 9110, section 10.2.3), as milliseconds from now. */
function retryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}

function told(thrown: unknown): { readonly text: string; readonly retry: Retry | null } {
  const text = thrown instanceof Error ? thrown.message : 'the engine could not be asked'
  return { text, retry: egressCode(thrown) === 'GH_EGRESS_UNREACHABLE' ? { afterMs: 0 } : null }
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
