import type { PluginFetch } from '@gatehouse/sdk'

/** As much as metadata, keys or claims may be. */
const maxBytes = 1024 * 1024
const timeoutMs = 8_000
/** What the libraries read of an answer. */
const READ = ['content-type', 'www-authenticate', 'cache-control', 'age']

interface Init {
  readonly method?: string | undefined
  readonly headers?: unknown
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}

/** The plugin's guarded way out in the shape of the web's `fetch`, as far as the libraries use it. */
export function asWebFetch(fetch: PluginFetch) {
  return async (url: string, { method = 'GET', headers, body, signal }: Init = {}): Promise<Response> => {
    const answer = await fetch(url, {
      method,
      headers: Object.fromEntries(new Headers((headers ?? {}) as Record<string, string>)),
      ...(body === undefined || body === null ? {} : { body: bodyOf(body) }),
      ...(signal ? { signal } : {}),
      maxBytes,
      timeoutMs,
    })
    const held = READ.flatMap((name) => {
      const value = answer.header(name)
      return value === undefined ? [] : [[name, value] as [string, string]]
    })
    const isEmpty = answer.status === 204 || answer.status === 304
    return new Response(isEmpty ? null : answer.text(), { status: answer.status, headers: held })
  }
}

function bodyOf(body: unknown): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('a body of this kind is not sent')
}
