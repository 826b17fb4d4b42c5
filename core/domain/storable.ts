const escapes = /\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g

/**
 * JSON text as PostgreSQL can store it: an escaped NUL or lone surrogate becomes U+FFFD. `JSON.stringify` writes a whole
 * pair raw, so an escape that begins with `\ud` is a lone one, unless its backslash is itself escaped.
 */
export function storable(json: string): string {
  if (!json.includes('\\u')) return json
  return json.replace(escapes, (whole, body: string) => (body.length === 1 ? whole : '\ufffd'))
}
