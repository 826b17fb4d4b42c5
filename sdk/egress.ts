import type { Socket } from 'node:net'

/**
 * `fetch` through the gateway's one guarded way out: private, loopback and link-local addresses are refused unless the
 * operator allows them, redirects are refused, at most 16 MiB come back (counted as they are when decompressed). Rejects with
 * an `Error` whose `code` is an `EgressCode`, or with the reason of `signal`.
 */
export type PluginFetch = (url: string, init?: PluginFetchInit) => Promise<PluginResponse>

export interface PluginFetchInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Milliseconds for the whole exchange; 30,000 unless told. */
  readonly timeoutMs?: number
  /** Most bytes of the answer's body; 16 MiB unless told, and never more. */
  readonly maxBytes?: number
}

export interface PluginResponse {
  readonly status: number
  header(name: string): string | undefined
  readonly body: Uint8Array
  text(): string
  json(): unknown
}

/**
 * A connection that is no HTTP (a mail server, say), through the same guard as `fetch`: the same addresses are refused, the
 * socket goes to the address that was checked, an outbound proxy is used where one is set. Answers a connected socket, which
 * its caller ends. Rejects like `fetch`.
 */
export type PluginDial = (place: DialPlace) => Promise<Socket>

export interface DialPlace {
  /** A name or a literal address, an IPv6 one without brackets. */
  readonly host: string
  readonly port: number
  /**
   * - `true`: TLS from the first byte; the certificate is verified against `host`.
   * - `'starttls'`: the caller makes TLS of it (and verifies it) before anything is said that matters, or hangs up.
   * - `false`: no TLS at all. Only to what the operator listed in `GATEHOUSE_EGRESS_ALLOW`, as with plain http.
   */
  readonly tls: boolean | 'starttls'
  /** Ends the dialling; the open socket is the caller's. Connecting ends by itself after 10 s. */
  readonly signal?: AbortSignal
}

/**
 * Why the way out failed.
 *
 * - `GH_EGRESS_REFUSED`: the address is not one that the gateway may call.
 * - `GH_EGRESS_UNREACHABLE`: no connection came to be (DNS, TCP, TLS, proxy). Nothing was sent, so it can be tried again.
 * - `GH_EGRESS_FAILED`: the exchange broke off, or the answer is not HTTP. The other side may have seen the request.
 * - `GH_EGRESS_TIMEOUT`: no whole answer in time. The same is true.
 * - `GH_EGRESS_REDIRECT`: the answer is a 3xx; redirects are not followed.
 * - `GH_EGRESS_TOO_LARGE`: the answer is over the limit, as it came or when decompressed.
 */
export type EgressCode = (typeof CODES)[number]

const CODES = [
  'GH_EGRESS_REFUSED',
  'GH_EGRESS_UNREACHABLE',
  'GH_EGRESS_FAILED',
  'GH_EGRESS_TIMEOUT',
  'GH_EGRESS_REDIRECT',
  'GH_EGRESS_TOO_LARGE',
] as const

/** The code of what `fetch` or `dial` threw; undefined when it is no failure of the way out. */
export function egressCode(thrown: unknown): EgressCode | undefined {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return CODES.find((known) => known === code)
}
