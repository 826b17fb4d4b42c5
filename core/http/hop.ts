import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { GatehouseError } from '../errors.js'

/** What the key of a hop is derived for. */
export const HOP = 'replica hop 1'
/** The header in which a replica vouches for a request that it passes on to another. */
export const HOP_HEADER = 'gatehouse-hop'

/** A request that another replica took from the client: its name and origin were checked there. */
export interface Hop {
  readonly from: string
  /** The client's address. */
  readonly address: string
  /** Throws GH_DOOR_HOP unless this is the body that was vouched for. */
  fits(body: Uint8Array): void
}

export interface Vouched {
  readonly to: string
  readonly method: string
  readonly path: string
  readonly body: Uint8Array
  readonly address: string
}

export interface Hops {
  /** The header's text, good for this one request, for 30 s. */
  vouch(request: Vouched): string
  /** Null for a request of a client. Throws GH_DOOR_HOP when the header does not hold: forged, late, for another replica. */
  read(req: IncomingMessage): Hop | null
}

export interface HopsOptions {
  readonly self: string
  /** Made from the master keys, newest first. */
  readonly keys: readonly Uint8Array[]
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

const LIVES_MS = 30_000

/**
 * Vouches with every key and believes any: while keys are rotated, some replicas have one more than others. It says where a
 * request came in and nothing of its caller, who is authenticated by the owner as anywhere.
 */
export function createHops({ self, keys, now = Date.now }: HopsOptions): Hops {
  const signed = (...said: readonly unknown[]) =>
    keys.map((key) => createHmac('sha256', key).update(textOf(said)).digest())
  return {
    vouch({ to, method, path, body, address }) {
      const said = [self, to, now() + LIVES_MS, address, digestOf(body)]
      const macs = signed(...said, method, path).map((mac) => mac.toString('base64url'))
      return [Buffer.from(textOf(said)).toString('base64url'), ...macs].join('.')
    },
    read(req) {
      const header = req.headers[HOP_HEADER]
      if (header === undefined) return null
      const [text = '', ...macs] = String(header).split('.', 1 + MOST_KEYS)
      const [from, to, until, address, digest] = parse(text)
      const ours = signed(from, to, until, address, digest, req.method, req.url)
      const holds = macs.some((mac) => ours.some((own) => isSame(own, Buffer.from(mac, 'base64url'))))
      if (!holds || to !== self) throw refused(holds ? `it is for ${String(to)}` : 'it is not signed')
      const ahead = Number(until) - now()
      if (!(ahead >= 0 && ahead <= 2 * LIVES_MS)) throw refused('it is too old, or the clocks differ')
      return {
        from: String(from),
        address: String(address),
        fits(body) {
          if (digestOf(body) !== digest) throw refused('its body is another one')
        },
      }
    },
  }
}

const MOST_KEYS = 8

/** A JSON array cannot be read in two ways, whatever its strings hold. */
const textOf = (said: readonly unknown[]) => JSON.stringify(['hop 1', ...said])
const digestOf = (body: Uint8Array) => createHash('sha256').update(body).digest('base64url')
const isSame = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b)
const refused = (detail: string) => new GatehouseError('GH_DOOR_HOP', { detail })

function parse(text: string): readonly unknown[] {
  try {
    const [, ...said] = JSON.parse(Buffer.from(text, 'base64url').toString()) as readonly unknown[]
    return said
  } catch {
    throw refused('it is malformed')
  }
}
