/** What a command may touch of the world around it. */
export interface Io {
  /** Without the interpreter and the script. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly version: string
  readonly nodeVersion: string
  out(text: string): void
  err(text: string): void
  /** Columns of the terminal that `err` goes to; undefined when it is none. */
  readonly width?: number | undefined
  /** Aborted when the person has had enough (Ctrl-C). */
  readonly signal: AbortSignal
  /** Runs the gateway in this process. */
  start(): Promise<unknown>
}

/** A failure that is told in its own words, with exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'

  constructor(
    message: string,
    /** With which the gateway answered; null: it was not asked. */
    readonly status: number | null = null,
  ) {
    super(message)
  }
}

/** For a command that is printed to be copied. */
export const shellWord = (text: string): string =>
  /^[\w./@:+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

/** Text of others on a terminal: control characters, which could repaint it, are shown as what they are. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Columns as wide as they need be. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
