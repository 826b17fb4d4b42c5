import { setTimeout as wait } from 'node:timers/promises'
import { egressCode } from '@gatehouse/sdk'
import type { PluginFetch, PluginResponse } from '@gatehouse/sdk'
import type { Instance } from './config.js'

export const MOST_BYTES = 16 * 1024 * 1024

/** What came back, or why nothing did. `text` holds nothing of the message. */
export type Attempt =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly text: string; readonly status: number | null; readonly again: boolean }

export interface Sending {
  readonly instance: Instance
  readonly path: string
  /** What is posted; nothing is when it is a mere question. */
  readonly body?: unknown
  readonly signal: AbortSignal
  /** Milliseconds since the epoch at which an answer is too late. */
  readonly until: number
}

/** Milliseconds before the second and the third attempt, and up to a quarter more. */
const PAUSES = [200, 800]
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Asks, and at most twice again where that can help, within one budget of time. */
export async function exchange(fetch: PluginFetch, sending: Sending): Promise<Attempt> {
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(fetch, sending)
    const pause = PAUSES[attempt]
    if (outcome.ok || !outcome.again || pause === undefined) return outcome
    const pauseMs = pause * (1 + Math.random() / 4)
    if (Date.now() + pauseMs >= sending.until) return outcome
    await wait(pauseMs, undefined, { signal: sending.signal })
  }
}

export async function attemptOnce(fetch: PluginFetch, { instance, path, body, ...rest }: Sending): Promise<Attempt> {
  const headers = Object.entries(instance.headers).map(([name, value]) => [name.toLowerCase(), value])
  const posted = body === undefined ? { method: 'GET' } : { method: 'POST', body: JSON.stringify(body) }
  try {
    const response = await fetch(`${baseOf(instance.url)}${path}`, {
      ...posted,
      headers: {
        ...Object.fromEntries(headers),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: rest.signal,
      timeoutMs: Math.max(1, rest.until - Date.now()),
      maxBytes: MOST_BYTES,
    })
    return judge(response)
  } catch (thrown) {
    if (rest.signal.aborted) throw thrown
    const text = thrown instanceof Error ? thrown.message : 'the analyzer could not be asked'
    return { ok: false, text, status: null, again: egressCode(thrown) === 'GH_EGRESS_UNREACHABLE' }
  }
}

/** The address with or without a slash at its end, or of `/analyze` itself. */
const baseOf = (url: string) => url.replace(/\/(?:analyze\/?)?$/, '')

function judge(response: PluginResponse): Attempt {
  const { status } = response
  if (status !== 200)
    return { ok: false, text: `the analyzer answered HTTP ${status}`, status, again: AGAIN.has(status) }
  try {
    return { ok: true, json: response.json() }
  } catch {
    return { ok: false, text: 'the analyzer answered what is not JSON', status, again: false }
  }
}
