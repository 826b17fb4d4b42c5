/** Says whether a text fits a glob. `*` stands for any run of characters, everything else for itself; case counts. */
export type Matcher = (text: string) => boolean

/** Compiles one glob. Matching never goes back over the text, so no glob can make it slow. */
export function compileGlob(glob: string): Matcher {
  const parts = glob.split('*')
  const first = parts[0] ?? ''
  const last = parts[parts.length - 1] ?? ''
  if (parts.length === 1) return (text) => text === glob
  const middle = parts.slice(1, -1).filter((part) => part !== '')
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let at = first.length
    for (const part of middle) {
      const found = text.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

/** Fits when any glob fits; an empty list fits nothing. */
export function compileGlobs(globs: readonly string[]): Matcher {
  const matchers = globs.map(compileGlob)
  return (text) => matchers.some((matches) => matches(text))
}
