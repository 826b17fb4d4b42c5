/** A part of a URL's path in plain signs; as it is where it is no encoding at all. */
export function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
