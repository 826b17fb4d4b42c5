import { regexMatch } from './host'
import { take } from './memory'
import { Text } from './text'
import { encode } from './utf8'

/** Bytes of the text. */
@final
export class Match {
  constructor(
    public start: i32,
    public end: i32,
  ) {}
}

/**
 * The patterns of the manifest, matched by the gateway in time that grows with the text alone. Needs the capability `regex`.
 */
export abstract class Regex {
  /** The first match at or after the byte `from`. Traps for a pattern that the manifest does not have. */
  static match(id: string, text: Text, from: i32 = 0): Match | null {
    if (from > text.length) return null
    const name = encode(id)
    const out = take(8)
    const answer = regexMatch(name.at, name.length, text.at, text.length, from, out)
    if (answer < 0) throw new Error('no such pattern in the manifest')
    return answer === 0 ? null : new Match(load<i32>(out), load<i32>(out, 4))
  }

  static matches(id: string, text: Text): bool {
    return Regex.match(id, text) !== null
  }
}
