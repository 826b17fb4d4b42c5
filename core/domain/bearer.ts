import type { CancelSignal } from './cancel-signal.js'

/** How long a caller waits: no longer than its own call. */
export interface Patience {
  /** Milliseconds since the epoch. */
  readonly deadline: number
  readonly signal?: CancelSignal | undefined
}

/** A token of an authorization server that is renewed while connections live. */
export interface Bearer {
  /** As it is in memory; null when none was read yet. */
  readonly token: string | null
  /** Rises when the token changes. */
  readonly version: number
  /**
   * Nothing when the token is good as it stands, which costs no question to anybody; else a promise of one that is.
   * Throws GH_FORWARD_CONNECT when somebody has to authorise, GH_UPSTREAM_SIGN_IN when none is to be had in time.
   */
  ready(patience: Patience): void | Promise<void>
  /** After the server refused `version`: true when there is another one by now. Renews each version once. */
  renew(version: number, patience: Patience): Promise<boolean>
  /** After the server said that the token is good, but allows too little. Always throws: somebody has to authorise for more. */
  stepUp(scope: string | null): Promise<never>
}
