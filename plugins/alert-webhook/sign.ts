import { createHmac } from 'node:crypto'

/**
 * The value of `Gatehouse-Signature`: `t=<seconds since the epoch>,v1=<hex of HMAC-SHA256 over "<t>.<body>">`. Whoever
 * checks it compares in constant time and refuses a `t` that is too far from their own clock.
 */
export function signature(secret: string, body: string, nowMs: number): string {
  const at = Math.floor(nowMs / 1_000)
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`
}
