/** What a rule is given and what it may use, for editors. Nothing of this is built. */

interface RuleInput {
  readonly version: 1
  readonly leg: 'request' | 'response'
  readonly call: {
    readonly id: string
    readonly gateway: string
    readonly server: string | null
    readonly user: string | null
    readonly host: string
    readonly method: string
    readonly era: string
    readonly feature: { readonly kind: string; readonly name: string } | null
    readonly attributes: Readonly<Record<string, unknown>>
    /** Milliseconds since the epoch; `Date.now()` is the same. */
    readonly time: number
  }
  /** With "message" in the manifest's `input`: params of a request, result of a response. */
  readonly message: Readonly<Record<string, unknown>>
  /** With "texts" in the manifest's `input`: the string values of the message, and its object keys. */
  readonly texts: readonly string[]
  readonly keys: readonly string[]
}

interface RuleAnswer {
  verdict: 'pass' | 'block' | 'modify' | 'undecided'
  /** What the client reads, up to 500 characters. */
  reason?: string
  /** With `modify`: what stands in place of the message, or of some of its texts. */
  message?: Record<string, unknown>
  texts?: { text: number; value: string }[]
  findings?: { type: string; text?: number; key?: number; start?: number; end?: number; score?: number }[]
}

/** Each is there only if the manifest's `capabilities` name it. */
declare const gatehouse: {
  /** "config" */
  config(key: string): string | null
  /** "log". So is `console`. */
  log(level: 'debug' | 'info' | 'warn' | 'error', text: string): void
  /** "kv", of a rule with `stateful`: what it remembers for this connection. False: there is no room. */
  readonly kv: {
    get(key: string): string | null
    set(key: string, value: string, ttlSeconds?: number): boolean
    delete(key: string): void
  }
  /** "counters" */
  counter(name: string, n?: number): void
  /** "regex": the first match of a pattern of the manifest (RE2's syntax, linear time) from a place in a text on. */
  regex(id: string, text: string, from?: number): { start: number; end: number } | null
}
