import type { DeliveryAnswer, PluginLog, PluginResponse } from '@gatehouse/sdk'

const excerptLength = 500

/** What an admin should look at first, by status. */
const HINTS: Readonly<Record<number, string>> = {
  400: 'If the receiver takes protobuf only, put an OpenTelemetry Collector in between.',
  401: 'The credential in `headers` is missing or wrong.',
  403: 'The key is not one for this site, or may not write logs.',
  404: 'The path is wrong: the URL is used as it is, nothing is appended (most end in /v1/logs).',
  405: 'The path is wrong: the URL is used as it is, nothing is appended (most end in /v1/logs).',
  413: 'The receiver takes smaller requests only; `gzip: true` may help.',
  415: 'The receiver does not take JSON: put an OpenTelemetry Collector in between.',
}

/** What a response means for the batch (OTLP 1.x, "OTLP/HTTP Response"). */
export function answerOf(response: PluginResponse, log: Pick<PluginLog, 'warn'>, now: number): DeliveryAnswer {
  const { status } = response
  if (status >= 200 && status < 300) {
    tellOfPartialSuccess(response, log)
    return { kind: 'delivered' }
  }
  const message = [`HTTP ${status}.`, HINTS[status], excerpt(response)].filter(Boolean).join(' ')
  if (status !== 408 && status !== 429 && status < 500) return { kind: 'rejected', message, status }
  const afterMs = retryAfter(response.header('retry-after'), now)
  return { kind: 'retry', message, status, ...(afterMs === undefined ? {} : { afterMs }) }
}

/** The receiver dropped some records and does not want them again: the batch counts as delivered. */
function tellOfPartialSuccess(response: PluginResponse, log: Pick<PluginLog, 'warn'>): void {
  let partial: { rejectedLogRecords?: unknown; errorMessage?: unknown } | undefined
  try {
    const body = response.json() as { partialSuccess?: typeof partial } | null
    partial = body?.partialSuccess
  } catch {
    return
  }
  const rejected = Number(partial?.rejectedLogRecords ?? 0)
  const said = typeof partial?.errorMessage === 'string' ? partial.errorMessage.slice(0, excerptLength) : ''
  if (rejected > 0) log.warn({ rejected, said }, 'the receiver dropped log records')
}

/** Seconds or a date (RFC 9110, section 10.2.3), as milliseconds from now. */
function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** The beginning of what the receiver said, on one line. */
function excerpt(response: PluginResponse): string {
  return response
    .text()
    .slice(0, excerptLength)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}
