import type { Egress } from './egress.js'
import type { EgressInit } from './fetch.js'

/**
 * The guarded way out in the shape of the web's `fetch`, for libraries that take one. Bodies are read whole in both
 * directions; a redirect throws whatever `redirect` says, and a `dispatcher` of the library's own is not used.
 */
export function asWebFetch(
  egress: Pick<Egress, 'fetch'>,
  bounds: Pick<EgressInit, 'timeoutMs' | 'maxBytes'> = {},
): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const body = request.body === null ? {} : { body: new Uint8Array(await request.arrayBuffer()) }
    const answer = await egress.fetch(request.url, {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      signal: request.signal,
      ...body,
      ...bounds,
    })
    const hasNoBody = answer.status === 204 || answer.status === 205 || answer.status === 304
    return new Response(hasNoBody ? null : Buffer.from(answer.body), {
      status: answer.status,
      headers: readableHeaders(answer.headers),
    })
  }
}

// The body is decoded already, so what described its wire form no longer holds.
const OF_THE_WIRE = new Set(['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'keep-alive'])

function readableHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || OF_THE_WIRE.has(name) ? [] : [value].flat().map((one): [string, string] => [name, one]),
  )
}
