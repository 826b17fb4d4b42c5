import type { DeliveryAnswer, PluginResponse } from '@gatehouse/sdk'

const EXCERPT = 200
const HINTS: Readonly<Record<number, string>> = {
  401: 'The credential in `headers` is missing or wrong.',
  403: 'The credential may not post there, or the signature was not taken.',
  404: 'The path is wrong: the URL is used as it is.',
  405: 'The receiver takes no POST there.',
}

/** Redirects are refused by the way out, so nothing but 2xx is success. */
export function answerOf(response: PluginResponse, now: number): DeliveryAnswer {
  const { status } = response
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const said = response
    .text()
    .slice(0, EXCERPT)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  const message = [`HTTP ${status}.`, HINTS[status], said].filter(Boolean).join(' ')
  if (status !== 408 && status !== 425 && status !== 429 && status < 500) return { kind: 'rejected', message, status }
  const afterMs = retryAfter(response.header('retry-after'), now)
  return { kind: 'retry', message, status, ...(afterMs === undefined ? {} : { afterMs }) }
}

/** Seconds or a date (RFC 9110, section 10.2.3), as milliseconds from now. */
function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
