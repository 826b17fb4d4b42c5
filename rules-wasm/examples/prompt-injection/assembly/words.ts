import { Text } from '@gatehouse/rule-assemblyscript/assembly'
import * as lexicon from './lexicon'
import { invisibleAt, readInvisible } from './unicode'
import * as signals from './signals'

const ROLES: i32 = 19
/** The number of the first word: what was never seen is that far away. */
const FAR: i32 = 1000

const NOW = lexicon.hashOf('now')
const ARE = lexicon.hashOf('are')
const YOU = lexicon.hashOf('you')
const AS = lexicon.hashOf('as')
const ACT = lexicon.hashOf('act')
const HTTP = lexicon.hashOf('http')
const HTTPS = lexicon.hashOf('https')
const YOUR = lexicon.hashOf('your')
const BEFORE = lexicon.hashOf('before')
const TOLD = lexicon.hashOf('told')

/** Reads the sentences of one text: which words stand near each other. */
@final
export class Words {
  private count: i32 = FAR
  private start: i32 = 0
  private end: i32 = 0
  private before: u32 = 0
  private beforeThat: u32 = 0
  private beforeRoles: i32 = 0
  /** For each role: the number of the last word that had it, and where that began. */
  private lastWord: StaticArray<i32> = new StaticArray<i32>(ROLES)
  private lastStart: StaticArray<i32> = new StaticArray<i32>(ROLES)

  constructor(
    readonly text: Text,
    readonly found: signals.Signals,
  ) {}

  /** Reads the word that begins at this byte; answers where to go on. Invisible signs in it do not part it. */
  read(at: i32): i32 {
    const text = this.text
    const base = text.at
    const size = text.length
    let hash = lexicon.hashStart()
    let i = at
    while (i < size) {
      const c = <i32>load<u8>(base + i)
      if (isLetter(c)) hash = lexicon.hashNext(hash, c | 32)
      else if (c == 0x27) hash = lexicon.hashNext(hash, c)
      else if (c < 0x80) break
      else {
        const width = this.readWithin(i)
        if (width == 0) break
        if (width < 0) hash = lexicon.hashNext(hash, 0x27)
        i += abs(width) - 1
      }
      i++
    }
    this.start = at
    this.end = i
    this.take(hash)
    return i
  }

  /** Bytes of invisible signs; below zero, of a typographic apostrophe; 0: the word ends. */
  private readWithin(at: i32): i32 {
    const text = this.text
    if (text.byteAt(at) == 0xe2 && text.byteAt(at + 1) == 0x80 && text.byteAt(at + 2) == 0x99) return -3
    return invisibleAt(text, at) > 0 ? readInvisible(text, at, this.found) - at : 0
  }

  private take(hash: u32): void {
    this.count++
    const roles = lexicon.rolesOf(hash)
    if (roles != 0 || hash == NOW || hash == AS || hash == HTTP || hash == HTTPS || hash == TOLD)
      this.judge(hash, roles)
    for (let bit = 0; roles >> bit != 0; bit++) {
      if (((roles >> bit) & 1) == 0) continue
      this.lastWord[bit] = this.count
      this.lastStart[bit] = this.start
    }
    this.beforeThat = this.before
    this.before = hash
    this.beforeRoles = roles
  }

  private judge(hash: u32, roles: i32): void {
    if (roles & (lexicon.RULES | lexicon.LAWS)) this.judgeRules(roles)
    if (roles & lexicon.PRIOR || hash == BEFORE || hash == TOLD) this.judgePrior(roles)
    if (roles & lexicon.FOLLOW && this.near(lexicon.NOT, 2)) this.drop()
    if (roles & lexicon.USER && this.near(lexicon.TELL, 4) && this.follows(lexicon.TELL, lexicon.NOT, 4)) {
      this.add(signals.SECRECY, lexicon.NOT, 0.4)
    }
    if (roles & lexicon.TOOL && this.near(lexicon.USE, 5) && this.near(lexicon.MUST, 14)) {
      this.add(signals.TOOL_STEERING, lexicon.USE, 0.3)
    }
    if (roles & lexicon.MUST && this.near(lexicon.MODEL, 3)) this.add(signals.ADDRESSED, lexicon.MODEL, 0.25)
    if ((hash == HTTP || hash == HTTPS) && this.near(lexicon.SEND, 14) && this.near(lexicon.SECRET, 14)) {
      this.add(signals.SENDING, lexicon.SEND, 0.5)
    }
    if (hash == NOW && this.before == ARE && this.beforeThat == YOU) this.addHere(signals.ROLE_CHANGE, 0.35)
    if (hash == AS && this.before == ACT) this.addHere(signals.ROLE_CHANGE, 0.15)
  }

  /** Rules and commands are also those of a program: they count in full only behind "your" or "previous". */
  private judgeRules(roles: i32): void {
    if (this.near(lexicon.DROP, 8) && this.follows(lexicon.SCOPE, lexicon.DROP, 6)) {
      const isOfModel = roles & lexicon.RULES || this.before == YOUR || this.near(lexicon.PRIOR, 1)
      this.add(signals.OVERRIDE, lexicon.DROP, isOfModel ? 0.7 : 0.4)
    }
    if (this.beforeRoles & lexicon.NEW) this.addHere(signals.ROLE_CHANGE, 0.3)
    if (this.beforeRoles & lexicon.YOUR && this.near(lexicon.SHOW, 5)) this.add(signals.PROMPT_LEAK, lexicon.SHOW, 0.4)
  }

  /** "Ignore the instructions above", "forget everything you were told". */
  private judgePrior(roles: i32): void {
    if (roles & lexicon.PRIOR && this.near(lexicon.RULES, 2) && this.follows(lexicon.RULES, lexicon.DROP, 4))
      this.add(signals.OVERRIDE, lexicon.DROP, 0.7)
    if (this.near(lexicon.ALL, 5) && this.follows(lexicon.ALL, lexicon.DROP, 2))
      this.add(signals.OVERRIDE, lexicon.DROP, 0.4)
  }

  /** "Do not follow" is as good as "ignore". */
  private drop(): void {
    this.lastWord[ctz(lexicon.DROP)] = this.count
    this.lastStart[ctz(lexicon.DROP)] = this.lastStart[ctz(lexicon.NOT)]
  }

  /** Whether a word of this role stands at most so many words before. */
  private near(role: i32, words: i32): bool {
    return this.count - this.lastWord[ctz(role)] <= words
  }

  /** Whether the last word of one role stands at most so many words behind the last of another. */
  private follows(role: i32, other: i32, words: i32): bool {
    const distance = this.lastWord[ctz(role)] - this.lastWord[ctz(other)]
    return distance > 0 && distance <= words
  }

  private add(kind: i32, from: i32, score: f64): void {
    this.found.add(kind, this.lastStart[ctz(from)], this.end, score)
  }

  private addHere(kind: i32, score: f64): void {
    this.found.add(kind, this.start, this.end, score)
  }
}

export function isLetter(c: i32): bool {
  const small = c | 32
  return small >= 0x61 && small <= 0x7a
}
