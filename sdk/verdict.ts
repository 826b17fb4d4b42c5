/**
 * What a handler may decide about a message, as a closed union: a `switch` over `verdict` that forgets a case does not
 * compile (see `never`).
 *
 * - `pass`: the message goes on unchanged.
 * - `modify`: `patch` replaces the named fields of the payload. Only fields that the hook table lists as writable may
 *   stand in it; any other is a fault and is settled by the hook's failure policy.
 * - `block`: the message is stopped here. `reason` is shown to the client: one plain sentence, no secret, no matched text,
 *   at most 500 characters (longer ones are cut).
 * - `undecided`: the handler could not tell. Whoever asked decides what follows (`onFailure` of a rule; `closed` elsewhere).
 *   `message` goes to the log only.
 */
export type Verdict<Patch> = Pass | Modify<Patch> | Block | Undecided

export interface Pass {
  readonly verdict: 'pass'
}
export interface Modify<Patch> {
  readonly verdict: 'modify'
  readonly patch: Patch
}
export interface Block {
  readonly verdict: 'block'
  readonly reason: string
}
export interface Undecided {
  readonly verdict: 'undecided'
  readonly message: string
}

const PASS: Pass = Object.freeze({ verdict: 'pass' })

/** The message goes on unchanged. Allocates nothing. */
export const pass = (): Pass => PASS
/** The named fields are replaced. */
export const modify = <const Patch>(patch: Patch): Modify<Patch> => ({ verdict: 'modify', patch })
/** The message is stopped; `reason` is read by the client. */
export const block = (reason: string): Block => ({ verdict: 'block', reason })
/** Could not tell; `message` is for the log. */
export const undecided = (message: string): Undecided => ({ verdict: 'undecided', message })

/** For the `default` of an exhaustive switch: an unhandled case does not compile. */
export function never(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`)
}
