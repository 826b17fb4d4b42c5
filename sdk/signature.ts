import { createHmac, timingSafeEqual } from 'node:crypto'

/** The header that carries the signature of a request that the gateway sends. */
export const SIGNATURE_HEADER = 'gatehouse-signature'

/**
 * The value of that header: `t=<seconds since the epoch>,v1=<hex>`, where the hex is HMAC-SHA256 with the shared secret over
 * `<t>.<body>`, the body byte for byte as it is sent. `at` is milliseconds since the epoch.
 */
export function signBody(secret: string, body: string | Uint8Array, at: number): string {
  const t = String(Math.floor(at / 1000))
  return `t=${t},v1=${digest(secret, t, body).toString('hex')}`
}

export interface SignedBody {
  /** The header `Gatehouse-Signature` as it came. */
  readonly header: string | undefined
  /** The body as it came, before anything parsed it. */
  readonly body: string | Uint8Array
  /** The shared secret; several while one is exchanged for another. */
  readonly secret: string | readonly string[]
  /** Milliseconds since the epoch; the clock unless told. */
  readonly now?: number
  /** How old or how far ahead a signature may be; 300 seconds unless told. */
  readonly toleranceSeconds?: number
}

/**
 * Whether a request was signed with a secret that is known here, and lately. Compares in constant time. A header of another
 * form, an old one and an empty secret are false.
 */
export function verifySignature({ header, body, secret, now, toleranceSeconds }: SignedBody): boolean {
  const parts = (header ?? '').split(',').map((part) => part.trim())
  const t = parts.find((part) => /^t=\d{1,12}$/.test(part))?.slice(2)
  if (t === undefined) return false
  const age = Math.abs((now ?? Date.now()) / 1000 - Number(t))
  if (age > (toleranceSeconds ?? 300)) return false
  const given = parts.filter((part) => /^v1=[0-9a-f]{64}$/.test(part)).map((part) => Buffer.from(part.slice(3), 'hex'))
  const wanted = [secret].flat().flatMap((one) => (one === '' ? [] : [digest(one, t, body)]))
  return wanted.some((one) => given.some((other) => timingSafeEqual(one, other)))
}

const digest = (secret: string, t: string, body: string | Uint8Array): Buffer =>
  createHmac('sha256', secret).update(`${t}.`).update(body).digest()
