import type { Server } from '../domain/nouns.js'
import type { GatehouseError } from '../errors.js'
import { Circuit } from './circuit.js'
import type { Opening } from './circuit.js'
import { NOT_SENT, fault } from './faults.js'
import type { Target } from './types.js'

/** So many calls may wait for a server that has said nothing for a while, and so many for a busy one. */
const MOST_UNHEARD = 256
const MOST_BUSY = 2_048
const SILENCE = 5_000
const BUSY_PAUSE = 1_000
/** A call that was taken back after so long says what a time-out says: most clients have less patience than we. */
const PATIENCE = 20_000
/** A server cannot keep everybody away for longer by one answer. */
const LONGEST_HOLD = 300_000
const MOST_CREDENTIALS = 500

/** What is worth telling an operator; each once, when it begins or ends, save `refused` with a 403 and `misbehaved`. */
export type Trouble =
  | { readonly kind: 'down'; readonly server: Server; readonly fault: GatehouseError }
  /** The first answer since the start, or since it was down. */
  | { readonly kind: 'up'; readonly server: Server; readonly wasDown: boolean }
  /** `whole`: the credential itself (401), not what it may do (403). */
  | {
      readonly kind: 'refused'
      readonly server: Server
      readonly key: string
      readonly whole: boolean
      readonly fault: GatehouseError
    }
  /** The first answer with this credential since the start, or since it was refused. */
  | { readonly kind: 'accepted'; readonly server: Server; readonly key: string }
  | { readonly kind: 'misbehaved'; readonly server: Server; readonly fault: GatehouseError }
  /** It was disabled or removed. */
  | { readonly kind: 'gone'; readonly serverId: string }

interface Credential {
  readonly key: string
  readonly circuit: Circuit
  /** The server asked for patience until then. */
  heldUntil: number
  isGood: boolean | null
}

/** A call under way. */
export interface Attempt {
  readonly circuit: Circuit
  readonly credential: Credential
  readonly begunAt: number
  /** The server said something that belongs to it. */
  isHeard: boolean
}

/**
 * What is known of one server, from what became of its calls. A server behind a URL has one circuit; a command has one for
 * each credential, since each is a process of its own. A refused credential or a plea for patience concerns that credential alone.
 */
export class Watch {
  readonly #circuits = new Map<string, Circuit>()
  readonly #credentials = new Map<string, Credential>()
  readonly #since: number
  #heardAt = -Infinity
  #unheard = 0
  #isUp: boolean | null = null

  constructor(
    private readonly server: Server,
    private readonly now: () => number,
    private tell: (trouble: Trouble) => void,
  ) {
    this.#since = now()
  }

  get opening(): Opening | null {
    for (const { opening } of this.#circuits.values()) if (opening !== null) return opening
    return null
  }

  /** Throws when the call must not go: nothing was sent then, and it may be asked again after `retryAfterMs`. */
  begin(target: Target): Attempt {
    const circuit = this.#circuitOf(target)
    const credential = this.#credentialOf(target.key)
    const begunAt = this.now()
    this.#admit(circuit, credential, begunAt)
    circuit.go()
    credential.circuit.go()
    this.#unheard += 1
    return { circuit, credential, begunAt, isHeard: false }
  }

  /** A sign of life that belongs to no call. */
  alive(): void {
    this.#heardAt = this.now()
  }

  heard(attempt: Attempt): void {
    this.alive()
    if (attempt.isHeard) return
    attempt.isHeard = true
    this.#unheard -= 1
  }

  answered(attempt: Attempt): void {
    this.#reached(attempt)
    const { credential } = attempt
    credential.circuit.answered()
    if (credential.isGood === true) return
    credential.isGood = true
    this.tell({ kind: 'accepted', server: this.server, key: credential.key })
  }

  failed(attempt: Attempt, fault: GatehouseError): void {
    switch (fault.code) {
      case 'GH_UPSTREAM_PROTOCOL':
        this.tell({ kind: 'misbehaved', server: this.server, fault })
        return this.#down(attempt, fault)
      case 'GH_UPSTREAM_UNREACHABLE':
        return this.#down(attempt, fault)
      case 'GH_UPSTREAM_TIMEOUT':
        // The others are answered: it is this call that takes long.
        if (this.#heardAt < attempt.begunAt) this.#down(attempt, fault)
        return
      case 'GH_UPSTREAM_CANCELLED':
        if (this.#heardAt < attempt.begunAt && this.now() - attempt.begunAt >= PATIENCE) this.#down(attempt, fault)
        return
      case 'GH_UPSTREAM_AUTH':
        return this.#refused(attempt, fault)
      case 'GH_UPSTREAM_RATE_LIMITED':
        return this.#asked(attempt, Number(fault.data?.['retryAfterMs'] ?? 0))
      case 'GH_UPSTREAM_TOO_LARGE':
        return this.#reached(attempt)
      default:
    }
  }

  end(attempt: Attempt): void {
    if (!attempt.isHeard) this.#unheard -= 1
  }

  /** A credential was given anew: it has yet to be refused. */
  renewed(key: string): void {
    this.#credentials.delete(key)
  }

  /** What is still under way tells nothing any more. */
  leave(): void {
    this.tell = () => {}
  }

  #admit(circuit: Circuit, { circuit: own, heldUntil }: Credential, now: number): void {
    const { slug } = this.server
    const refuse = (code: Refusal, what: string, retryAfterMs: number) =>
      fault(code, slug, what, { detail: NOT_SENT, retryable: true, retryAfterMs })
    if (circuit.pause > 0)
      throw refuse('GH_UPSTREAM_UNREACHABLE', `is not called for now: it ${wordsOf(circuit)}`, circuit.pause)
    if (heldUntil > now) throw refuse('GH_UPSTREAM_RATE_LIMITED', 'asked for patience (HTTP 429)', heldUntil - now)
    if (own.pause > 0)
      throw refuse('GH_UPSTREAM_AUTH', `is not called with this credential for now: it ${wordsOf(own)}`, own.pause)
    const isSilent = now - Math.max(this.#heardAt, this.#since) > SILENCE
    if (this.#unheard >= (isSilent ? MOST_UNHEARD : MOST_BUSY))
      throw refuse('GH_UPSTREAM_RATE_LIMITED', `has ${this.#unheard} calls waiting and gets no more`, BUSY_PAUSE)
  }

  /** It answered, whatever it said: it is not down. */
  #reached({ circuit }: Attempt): void {
    this.alive()
    circuit.answered()
    if (this.#isUp === true || this.opening !== null) return
    const wasDown = this.#isUp === false
    this.#isUp = true
    this.tell({ kind: 'up', server: this.server, wasDown })
  }

  #down({ circuit }: Attempt, fault: GatehouseError): void {
    if (!circuit.failed(fault) || this.#isUp === false) return
    this.#isUp = false
    this.tell({ kind: 'down', server: this.server, fault })
  }

  #refused(attempt: Attempt, fault: GatehouseError): void {
    this.#reached(attempt)
    const { credential } = attempt
    const whole = fault.data?.['httpStatus'] === 401
    const isKnown = whole && credential.isGood === false
    if (whole) {
      credential.circuit.failed(fault)
      credential.isGood = false
    }
    if (!isKnown) this.tell({ kind: 'refused', server: this.server, key: credential.key, whole, fault })
  }

  #asked(attempt: Attempt, ms: number): void {
    this.#reached(attempt)
    const { credential } = attempt
    if (ms > 0) credential.heldUntil = Math.max(credential.heldUntil, this.now() + Math.min(LONGEST_HOLD, ms))
  }

  #circuitOf({ server, key }: Target): Circuit {
    return known(this.#circuits, server.command === null ? '' : key, () => new Circuit(this.now))
  }

  #credentialOf(key: string): Credential {
    const make = () => ({ key, circuit: new Circuit(this.now), heldUntil: 0, isGood: null })
    return known<Credential>(this.#credentials, key, make)
  }
}

type Refusal = 'GH_UPSTREAM_UNREACHABLE' | 'GH_UPSTREAM_RATE_LIMITED' | 'GH_UPSTREAM_AUTH'

/** What its fault says, without the name of the server before it. */
function wordsOf({ opening }: Circuit): string {
  return (opening?.fault.message ?? '').replace(/^Server "[^"]*" /, '')
}

/** The oldest gives way: whoever is forgotten begins anew. */
function known<Value>(all: Map<string, Value>, key: string, make: () => Value): Value {
  const there = all.get(key)
  if (there !== undefined) return there
  const [oldest] = all.size >= MOST_CREDENTIALS ? all.keys() : []
  if (oldest !== undefined) all.delete(oldest)
  const made = make()
  all.set(key, made)
  return made
}
