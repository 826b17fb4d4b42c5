/** What a failed check of the language ends in: a trap, which the gateway counts against the rule. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable()
}
