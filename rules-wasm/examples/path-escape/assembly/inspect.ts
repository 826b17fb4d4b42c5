import { decodePercent, plain } from './decode'

/** More layers of encoding than that nobody needs. */
const LAYERS: i32 = 3
/** No file system takes a longer one. */
const LONGEST: i32 = 8192

/** What is wrong with a path, as the type of a finding; empty: nothing. `roots` end without a slash. */
export function inspect(path: string, roots: string[], strict: bool): string {
  if (path.length > LONGEST) return 'LONG_PATH'
  let text = plain(path.trim())
  for (let layer = 0; layer <= LAYERS; layer++) {
    const problem = look(text, roots, strict)
    if (problem.length > 0) return problem
    const decoded = plain(decodePercent(text)).trim()
    if (decoded == text) return ''
    text = decoded
  }
  return 'ENCODED_PATH'
}

function look(text: string, roots: string[], strict: bool): string {
  if (text.indexOf('\0') >= 0) return 'NUL_IN_PATH'
  let path = text
  if (path.length >= 5 && path.substring(0, 5).toLowerCase() == 'file:') {
    path = path.substring(5)
    if (path.startsWith('///')) path = path.substring(2)
    else if (path.startsWith('//localhost/')) path = path.substring(11)
    // file:///C:/…
    if (path.charCodeAt(2) == 0x3a && path.charCodeAt(0) == 0x2f) path = path.substring(1)
  }
  if (path.startsWith('//')) return 'NETWORK_PATH'
  if (path.indexOf('::$') >= 0) return 'FILE_STREAM'
  if (holdsVariable(path)) return 'VARIABLE_IN_PATH'
  const isDrive = path.charCodeAt(1) == 0x3a && isLetter(path.charCodeAt(0))
  if (isDrive || path.startsWith('/')) return lookAbsolute(path, roots, strict)
  return rises(path, strict) ? 'PATH_TRAVERSAL' : ''
}

function lookAbsolute(path: string, roots: string[], strict: bool): string {
  if (strict && rises(path, true)) return 'PATH_TRAVERSAL'
  if (roots.length == 0) return 'ABSOLUTE_PATH'
  const resolved = resolve(path)
  for (let i = 0; i < roots.length; i++) if (isWithin(resolved, roots[i])) return ''
  return 'ABSOLUTE_PATH'
}

function isWithin(path: string, root: string): bool {
  if (root.charCodeAt(1) == 0x3a) return isWithinExactly(path.toLowerCase(), root.toLowerCase())
  return isWithinExactly(path, root)
}

function isWithinExactly(path: string, root: string): bool {
  return path == root || path.startsWith(root + '/')
}

/** Whether it leads above where it begins; if strict, whether it goes up at all. */
function rises(path: string, strict: bool): bool {
  const parts = path.split('/')
  let depth = 0
  for (let i = 0; i < parts.length; i++) {
    const part = nameOf(parts[i])
    if (part == '..') {
      depth--
      if (strict || depth < 0) return true
    } else if (part.length > 0 && part != '.') depth++
  }
  return false
}

function resolve(path: string): string {
  const parts = path.split('/')
  const kept: string[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = nameOf(parts[i])
    if (part == '..') {
      if (kept.length > 0) kept.pop()
    } else if (part.length > 0 && part != '.') kept.push(part)
  }
  return (path.startsWith('/') ? '/' : '') + kept.join('/')
}

/** Windows drops spaces and points at a name's end, and some servers what follows a semicolon. */
function nameOf(part: string): string {
  const semicolon = part.indexOf(';')
  let name = semicolon >= 0 && part.startsWith('..') ? part.substring(0, semicolon) : part
  name = name.trimEnd()
  return name.startsWith('..') && isPoints(name) ? '..' : name
}

function isPoints(name: string): bool {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i)
    if (c != 0x2e && c != 0x20) return false
  }
  return true
}

/** `~`, `$HOME`, `${…}`, `$(…)`, `%USERPROFILE%`: what a shell would put something in the place of. */
function holdsVariable(path: string): bool {
  if (path.charCodeAt(0) == 0x7e) return true
  for (let i = path.indexOf('$'); i >= 0; i = path.indexOf('$', i + 1)) {
    const c = path.charCodeAt(i + 1)
    if (c == 0x7b || c == 0x28) return true
    if (c >= 0x41 && c <= 0x5a && (i == 0 || path.charCodeAt(i - 1) == 0x2f)) return true
  }
  const first = path.indexOf('%')
  if (first < 0) return false
  const second = path.indexOf('%', first + 1)
  if (second < first + 4) return false
  for (let i = first + 1; i < second; i++) if (!isVariableSign(path.charCodeAt(i))) return false
  return true
}

function isVariableSign(c: i32): bool {
  return isLetter(c) || c == 0x5f || c == 0x28 || c == 0x29
}

function isLetter(c: i32): bool {
  const small = c | 32
  return small >= 0x61 && small <= 0x7a
}
