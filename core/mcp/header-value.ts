/** Header values of the modern era that are not plain visible ASCII travel as `=?base64?…?=` (2026-07-28, transports). */
const SENTINEL = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/i
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/

export function encodeHeaderValue(text: string): string {
  return PLAIN.test(text) && !/^=\?base64\?/i.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

/** The text that a header stands for; null when it claims to be base64 and is not canonical base64 of UTF-8. */
export function decodeHeaderValue(raw: string): string | null {
  const value = raw.replace(/^[ \t]+|[ \t]+$/g, '')
  if (!/^=\?base64\?.*\?=$/i.test(value)) return value
  const encoded = SENTINEL.exec(value)?.[1]
  if (encoded === undefined) return null
  const bytes = Buffer.from(encoded, 'base64')
  const text = bytes.toString('utf8')
  return bytes.toString('base64') === encoded && Buffer.from(text).equals(bytes) ? text : null
}
