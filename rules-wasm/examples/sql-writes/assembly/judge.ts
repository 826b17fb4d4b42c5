import { Text } from '@gatehouse/rule-assemblyscript/assembly'
import { Dialect, END, Lexer, QUOTED, SIGN, WORD } from './lexer'
import * as words from './words'

export const UNKNOWN = 'unknown'

/**
 * What this SQL does beyond reading, as a word in small letters: a verb, a function, `unknown` for a statement that is not known
 * to only read. Empty: it only reads, or there is none. `allowed` holds words, each between spaces, that are let pass.
 */
export function judge(text: Text, dialect: Dialect, allowed: string): string {
  return new Judge(text, dialect, allowed).run()
}

class Judge {
  private lexer: Lexer
  private atStart: bool = true
  /** The token before, in small letters: a word, or what a name in quotes holds; otherwise empty. */
  private before: string = ''
  private beforeThat: string = ''
  private beforeKind: i32 = END
  private beforeSign: i32 = 0
  /** Whether a word before is a name for sure: behind a point, or behind `as`. */
  private isName: bool = false
  private pragma: i32 = 0

  constructor(
    readonly text: Text,
    readonly dialect: Dialect,
    readonly allowed: string,
  ) {
    this.lexer = new Lexer(text, dialect)
  }

  run(): string {
    while (this.lexer.next() != END) {
      const found = this.step()
      if (found.length > 0 && !this.isAllowed(found)) return found
    }
    // A statement may end in most verbs: then it is a name, or broken.
    return this.isLast() ? this.before : ''
  }

  private step(): string {
    const lexer = this.lexer
    const sign = lexer.sign
    const word = this.wordOf()
    let found = ''
    if (sign == 0x3b) {
      this.atStart = true
      if (this.isLast()) found = this.before
    } else if (this.atStart) found = this.begin(word, sign)
    else found = this.judgePair(word, sign)
    this.isName = this.beforeSign == 0x2e || (this.before == 'as' && this.beforeKind == WORD)
    this.beforeThat = this.before
    this.before = word
    this.beforeKind = lexer.kind
    this.beforeSign = sign
    return found
  }

  private isAllowed(word: string): bool {
    return this.allowed.indexOf(' ' + word + ' ') >= 0
  }

  private wordOf(): string {
    const lexer = this.lexer
    if (lexer.kind == WORD) return lowered(lexer.text.slice(lexer.start, min(lexer.end, lexer.start + LONGEST_WORD)))
    if (lexer.kind == QUOTED)
      return lowered(lexer.text.slice(lexer.start + 1, min(lexer.end - 1, lexer.start + 1 + LONGEST_WORD)))
    return ''
  }

  /** The first token of a statement. */
  private begin(word: string, sign: i32): string {
    if (sign == 0x28) return ''
    this.atStart = false
    this.pragma = 0
    if (this.lexer.kind != WORD) return UNKNOWN
    if (word == 'pragma') {
      this.pragma = 1
      return ''
    }
    if (words.has(words.READERS, word) || this.isAllowed(word)) return ''
    return words.has(words.KNOWN, word) ? word : UNKNOWN
  }

  private judgePair(word: string, sign: i32): string {
    if (this.pragma > 0) return this.judgePragma(word, sign)
    if (sign == 0x28 && !this.isNameBefore('insert')) return this.judgeFunction()
    // A name of PostgreSQL whose letters are spelt by another escape than the backslash.
    if (word == 'uescape') return UNKNOWN
    if (this.beforeKind != WORD) return ''
    const before = this.before
    if (!words.has(words.VERBS, before)) return ''
    const isNamed = this.lexer.kind == WORD || this.lexer.kind == QUOTED
    // A variable, or a temporary table, of SQL Server.
    if ((sign == 0x40 || sign == 0x23) && !this.isName && (isExecute(before) || words.has(words.WRITERS, before)))
      return before
    if (before == 'begin' && this.lexer.kind == WORD && !words.has(words.AFTER_BEGIN, word))
      return this.begin(word, sign)
    if (before == 'into') return sign == 0x40 || this.isName ? '' : 'into'
    if (before == 'for' && this.lexer.kind == WORD && words.has(words.LOCKS, word)) return 'for ' + word
    if (this.isName || !isNamed) return ''
    if (words.has(words.WRITERS, before)) return this.judgeWriter(before, word)
    if (before == 'replace') return words.has(words.AFTER_REPLACE, word) ? before : ''
    if (before == 'create' && this.beforeThat == 'show') return ''
    if (words.has(words.DEFINERS, before) || words.has(words.SERVER_VERBS, before) || isExecute(before))
      return words.has(words.AFTER_COLUMN, word) ? '' : before
    if (before == 'or') return words.has(words.CONFLICTS, word) && this.isWriterBeforeThat() ? this.beforeThat : ''
    if (before == 'kill' && isDigit(word.charCodeAt(0))) return before
    const isPair = words.hasPair(words.DEFINING, before, word) || words.hasPair(words.SERVER_PAIRS, before, word)
    return isPair ? before : ''
  }

  /** What stands before a bracket. A backslash in the name of a function is there to hide it. */
  private judgeFunction(): string {
    const before = this.before
    if (this.beforeKind == QUOTED && before.indexOf('\\') >= 0) return UNKNOWN
    if (this.beforeKind == WORD && !this.isName && isExecute(before)) return before
    return words.hasEffect(before) ? before : ''
  }

  private isWriterBeforeThat(): bool {
    return words.has(words.WRITERS, this.beforeThat)
  }

  /** Whether the statement ends in a verb that needs nothing behind it. */
  private isLast(): bool {
    return this.beforeKind == WORD && !this.isName && words.has(words.SERVER_LAST, this.before)
  }

  private isNameBefore(word: string): bool {
    return this.isName && this.before == word
  }

  private judgeWriter(before: string, word: string): string {
    if (this.lexer.kind == QUOTED) return before
    if (before == 'delete' && word == 'from') return before
    return words.has(words.AFTER_COLUMN, word) ? '' : before
  }

  /** `pragma [schema.]name` or `pragma name(of)`: never with a value. */
  private judgePragma(word: string, sign: i32): string {
    if (sign == 0x3d) return 'pragma'
    if (this.pragma == 1 && word.length > 0) {
      this.pragma = words.has(words.PRAGMAS, word) ? 2 : 3
      return ''
    }
    if (sign == 0x2e && this.pragma < 4) {
      this.pragma = 1
      return ''
    }
    return this.pragma == 3 ? 'pragma' : ''
  }
}

function isExecute(word: string): bool {
  return word == 'exec' || word == 'execute'
}

function isDigit(c: i32): bool {
  return c >= 0x30 && c <= 0x39
}

const LONGEST_WORD: i32 = 64
const SMALL = new StaticArray<u8>(LONGEST_WORD)

/** Most words are of ASCII: for those this costs a fraction of what Unicode does. */
function lowered(text: Text): string {
  for (let i = 0; i < text.length; i++) {
    const c = text.byteAt(i)
    if (c > 0x7f) return text.toString().toLowerCase()
    SMALL[i] = <u8>(c >= 0x41 && c <= 0x5a ? c | 32 : c)
  }
  return String.UTF8.decodeUnsafe(changetype<usize>(SMALL), text.length)
}
