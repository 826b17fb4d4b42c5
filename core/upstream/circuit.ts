import type { GatehouseError } from '../errors.js'

/** So many failures in a row, without an answer between them, and it is not asked any more. */
const ROW = 5
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 30_000

/** Why it is open, and since when; milliseconds since the epoch. */
export interface Opening {
  readonly fault: GatehouseError
  readonly since: number
}

/**
 * Whether one thing (a server, a credential) is worth asking. It opens after a row of failures. Then one trial is let through
 * after a pause of 1 s, the next after 2 s, 4 s, at most 30 s; the first answer, whoever asked for it, closes it.
 *
 * Our own and not cockatiel's (3.2 is the last for Node 20). There everybody waits for the end of a trial, which a server that
 * hangs draws out; a trial that its caller took back closes the circuit; and no time-out can be weighed against what
 * was answered meanwhile.
 */
export class Circuit {
  #row = 0
  #trials = 0
  #retryAt = 0
  #opening: Opening | null = null

  constructor(private readonly now: () => number) {}

  /** Null while it is closed. */
  get opening(): Opening | null {
    return this.#opening
  }

  /** Milliseconds until the next trial; 0 when a call may go. */
  get pause(): number {
    return this.#opening === null ? 0 : Math.max(0, this.#retryAt - this.now())
  }

  /** A call goes, for which `pause` was 0: while it is open this is the trial. Another follows even if this one never ends. */
  go(): void {
    if (this.#opening === null) return
    this.#trials += 1
    this.#retryAt = this.now() + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#trials)
  }

  /** True when that closed it. */
  answered(): boolean {
    this.#row = 0
    if (this.#opening === null) return false
    this.#opening = null
    return true
  }

  /** True when that opened it. */
  failed(fault: GatehouseError): boolean {
    if (this.#opening !== null) return false
    this.#row += 1
    if (this.#row < ROW) return false
    const since = this.now()
    this.#opening = { fault, since }
    this.#trials = 0
    this.#retryAt = since + FIRST_PAUSE
    return true
  }
}
