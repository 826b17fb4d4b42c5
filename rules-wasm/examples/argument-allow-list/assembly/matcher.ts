import { Regex, Text, Value } from '@gatehouse/rule-assemblyscript/assembly'

/**
 * Whether a value is what the list of matchers allows: one of them must match. Of an array every item must. `null` as a matcher, and
 * a matcher that says nothing known, match nothing.
 */
export function isAllowed(value: Value, matchers: Value): bool {
  if (value.isArray) {
    for (let item = value.first(); item.exists; item = item.next()) if (!isAllowed(item, matchers)) return false
    return true
  }
  if (!matchers.isArray) return matches(value, matchers)
  for (let matcher = matchers.first(); matcher.exists; matcher = matcher.next())
    if (matches(value, matcher)) return true
  return false
}

/** A text, a number, true or false stand for themselves; an object must hold in all that it says. */
function matches(value: Value, matcher: Value): bool {
  if (matcher.isString) return value.isString && value.text.equals(matcher.text.toString())
  if (matcher.isNumber) return value.isNumber && value.number == matcher.number
  if (!matcher.isObject) return !matcher.isNull && matcher.kind == value.kind && !value.isObject
  let known = false
  for (let condition = matcher.first(); condition.exists; condition = condition.next()) {
    if (!holds(value, condition.key.toString(), condition)) return false
    known = true
  }
  return known
}

function holds(value: Value, name: string, wanted: Value): bool {
  if (name == 'any') return wanted.isTrue
  if (name == 'min') return value.isNumber && wanted.isNumber && value.number >= wanted.number
  if (name == 'max') return value.isNumber && wanted.isNumber && value.number <= wanted.number
  if (name == 'type') return isOfType(value, wanted.text)
  if (!value.isString) return false
  const text = value.text
  if (name == 'maxLength') return wanted.isNumber && text.toString().length <= <i32>wanted.number
  if (!wanted.isString || wanted.text.isEmpty) return false
  const word = wanted.text.toString()
  if (name == 'exact') return text.equals(word)
  if (name == 'prefix') return text.startsWith(word)
  if (name == 'suffix') return text.endsWith(word)
  if (name == 'origin') return isOfOrigin(text, wanted.text)
  if (name == 'glob') return fits(text, wanted.text)
  return name == 'regex' && matchesWhole(text, word)
}

function isOfType(value: Value, type: Text): bool {
  if (type.equals('string')) return value.isString
  if (type.equals('number')) return value.isNumber
  if (type.equals('integer')) return value.isNumber && Math.floor(value.number) == value.number
  return (
    type.equals('boolean') && !value.isString && !value.isNumber && !value.isNull && !value.isObject && value.exists
  )
}

/** `https://api.example.com` and what lies beneath: not `https://api.example.com.evil.net`, nor `https://api.example.com@evil.net`. */
function isOfOrigin(text: Text, origin: Text): bool {
  if (!text.slice(0, origin.length).equalsIgnoreCase(origin.toString())) return false
  const c = text.byteAt(origin.length)
  return text.length == origin.length || c == 0x2f || c == 0x3f || c == 0x23
}

/** `*` for any bytes, `?` for one. Takes time for text times pattern at most. */
function fits(text: Text, glob: Text): bool {
  let t = 0
  let g = 0
  let star = -1
  let resume = 0
  while (t < text.length) {
    const c = g < glob.length ? glob.byteAt(g) : -1
    if (c == 0x2a) {
      star = g++
      resume = t
    } else if (c == 0x3f || c == text.byteAt(t)) {
      g++
      t++
    } else if (star >= 0) {
      g = star + 1
      t = ++resume
    } else return false
  }
  while (g < glob.length && glob.byteAt(g) == 0x2a) g++
  return g == glob.length
}

/** The patterns are those of the manifest, which are anchored at both ends. */
function matchesWhole(text: Text, id: string): bool {
  const match = Regex.match(id, text)
  return match !== null && match.start == 0 && match.end == text.length
}
