import type { PluginFetch } from './egress.js'
import { exchange } from './exchange.js'
import type { Question } from './exchange.js'
import type { Asking } from './screening-engine.js'

/** A question of a text service whose answer is JSON. */
export interface ServiceQuestion extends Pick<Question, 'url' | 'init'> {
  /** What to look at first, by status. */
  readonly hints: Readonly<Record<number, string>>
}

/** `message` holds nothing of a body: that of an error may repeat what was sent. */
export type ServiceAnswer =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly message: string; readonly status: number | null }

/** Asks as `asking` allows, and notes the status and the time that it took. */
export async function askService(
  fetch: PluginFetch,
  { url, init, hints }: ServiceQuestion,
  { signal, until, retries, note }: Asking,
): Promise<ServiceAnswer> {
  const started = performance.now()
  const exchanged = await exchange(fetch, { url, init, signal, until, retries })
  const ms = Math.round(performance.now() - started)
  if (!exchanged.ok) {
    const message = [exchanged.message, hints[exchanged.status ?? 0]].filter(Boolean).join(': ')
    note(`${message}, after ${ms} ms`)
    return { ok: false, message, status: exchanged.status }
  }
  note(`HTTP ${exchanged.response.status} in ${ms} ms`)
  try {
    return { ok: true, json: exchanged.response.json() }
  } catch {
    return { ok: false, message: 'the service answered no JSON', status: null }
  }
}
