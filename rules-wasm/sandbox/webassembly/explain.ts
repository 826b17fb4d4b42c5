import { RuleFault } from '../fault.js'
import type { Ran } from '../types.js'
import { escapeControls } from '../text.js'

/** Why a run ended, out of what was thrown by it. */
export function explain(error: unknown, guest: { readonly fuel: { readonly value: bigint } } | null): Ran['failure'] {
  if (error instanceof RuleFault) return { kind: error.kind, message: `the rule ${error.message}` }
  if (guest !== null && guest.fuel.value < 0n) return { kind: 'fuel', message: 'the rule used more than its fuel' }
  if (error instanceof RangeError) return { kind: 'stack', message: 'the rule called itself too deep' }
  const words = error instanceof Error ? escapeControls(error.message).slice(0, 200) : 'unknown'
  return { kind: 'trap', message: `the rule trapped: ${words}` }
}
