import type { FailureKind } from './types.js'

/** Ends a run: a rule has asked a host function for what it may not have. WebAssembly cannot catch it. */
export class RuleFault extends Error {
  override readonly name = 'RuleFault'

  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message)
  }
}
