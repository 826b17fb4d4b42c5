import { egressCode } from './egress.js'
import type { PluginFetch, PluginFetchInit, PluginResponse } from './egress.js'

/** One question to a service, with all of its attempts. */
export interface Question {
  readonly url: string
  /** Made anew for each attempt: a signature may hold the time. */
  readonly init: () => Pick<PluginFetchInit, 'method' | 'headers' | 'body' | 'maxBytes'>
  readonly signal: AbortSignal
  /** Milliseconds since the epoch at which an answer is too late, over all attempts. */
  readonly until: number
  /** False: one attempt, whatever comes of it. */
  readonly retries?: boolean
  /** Statuses that are worth another attempt; 429, 500, 502, 503 and 504 unless told. */
  readonly passing?: ReadonlySet<number>
  /** Told of every attempt that is to be tried again, from 1, and why. */
  readonly onRetry?: (attempt: number, message: string) => void
}

/** A 2xx, or why there is none: fit for a log, without anything of what was sent or said. */
export type Exchanged =
  | { readonly ok: true; readonly response: PluginResponse }
  | { readonly ok: false; readonly message: string; readonly status: number | null }

/** Milliseconds before the second and the third attempt, and up to a quarter more, so that callers do not come all at once. */
const PAUSES = [200, 800]
const PASSING: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

/**
 * Asks a service, and again where that can help: at most twice, when no connection came to be and after a status that passes.
 * `Retry-After` is heeded when it fits into the time that is left. Rejects with the reason of `signal` alone.
 */
export async function exchange(fetch: PluginFetch, question: Question): Promise<Exchanged> {
  for (let attempt = 0; ; attempt += 1) {
    const { exchanged, afterMs } = await attemptOnce(fetch, question)
    const pause = question.retries === false ? undefined : PAUSES[attempt]
    if (exchanged.ok || afterMs === null || pause === undefined) return exchanged
    const pauseMs = Math.max(pause * (1 + Math.random() / 4), afterMs)
    if (Date.now() + pauseMs >= question.until) return exchanged
    question.onRetry?.(attempt + 1, exchanged.message)
    await pauseFor(pauseMs, question.signal)
  }
}

/** `afterMs`: how long to wait before it is worth another attempt; null when it is not. */
interface Attempt {
  readonly exchanged: Exchanged
  readonly afterMs: number | null
}

async function attemptOnce(fetch: PluginFetch, question: Question): Promise<Attempt> {
  const { url, init, signal, until, passing = PASSING } = question
  try {
    const response = await fetch(url, { ...init(), signal, timeoutMs: Math.max(1, until - Date.now()) })
    const { status } = response
    if (status >= 200 && status < 300) return { exchanged: { ok: true, response }, afterMs: null }
    const exchanged: Exchanged = { ok: false, message: `the service answered HTTP ${status}`, status }
    return { exchanged, afterMs: passing.has(status) ? retryAfter(response.header('retry-after')) : null }
  } catch (thrown) {
    if (signal.aborted) throw thrown
    const message = thrown instanceof Error ? thrown.message : 'the service could not be asked'
    const isUnsent = egressCode(thrown) === 'GH_EGRESS_UNREACHABLE'
    return { exchanged: { ok: false, message, status: null }, afterMs: isUnsent ? 0 : null }
  }
}

/** Seconds or a date (RFC 9110, section 10.2.3), as milliseconds from now. */
function retryAfter(value: string | undefined): number {
  if (value === undefined) return 0
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? 0 : Math.max(0, at - Date.now())
}

/** Rejects with the reason of the signal when that comes first. */
function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end)
      resolve()
    }, ms)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
