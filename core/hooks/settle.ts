import type { FailurePolicy, Handler, HookCall, HookKind, HookName } from '@gatehouse/sdk'
import { QUICK } from './quick.js'
import type { z } from 'zod'

/**
 * What went wrong with a handler, or that it could not tell (`undecided`), or that nobody waits for it any more (`given_up`: no
 * fault of its own); `detail` is for the log.
 */
export interface Fault {
  readonly plugin: string
  readonly hook: HookName
  readonly failure:
    'threw' | 'rejected' | 'late' | 'nothing' | 'malformed' | 'forbidden_field' | 'undecided' | 'given_up'
  readonly detail: string
  readonly policy: FailurePolicy
}

export type Settled<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly fault: Fault }

/** The data of one row of the hook table. */
export interface HookRow {
  readonly kind: HookKind
  readonly deadlineMs: number
  readonly onFailure: FailurePolicy
  readonly writable: readonly string[]
  readonly answer: z.ZodType
}

export interface Registration<H extends HookName = HookName> {
  readonly plugin: string
  readonly hook: H
  readonly row: HookRow
  readonly handler: Handler<H>
  readonly order: 'pre' | 'normal' | 'post'
}

/** Limits of one run: all handlers share the deadline; `parent` is joined to the signal of a handler that asks for it. */
export interface RunOptions {
  readonly deadline?: number
  /** Milliseconds in the place of the hook's own. */
  readonly within?: number
  readonly parent?: (() => AbortSignal) | undefined
}

/**
 * The only place where a throw, a rejection, a late answer, `undefined`, an answer that fails its schema or a patch
 * outside the writable fields becomes a `Fault`. Answers at once when the handler does.
 */
export function settle<A>(
  registration: Registration,
  payload: unknown,
  deadline: number,
  parent?: () => AbortSignal,
): Settled<A> | Promise<Settled<A>> {
  const call = new LazyCall(deadline, parent)
  let answer: unknown
  let comesLater: boolean
  try {
    answer = (registration.handler as (payload: unknown, call: HookCall) => unknown)(payload, call)
    comesLater = isThenable(answer)
  } catch (thrown) {
    call.end()
    return failed(registration, 'threw', describe(thrown))
  }
  if (comesLater) return settleLater<A>(registration, answer, call)
  call.end()
  return judge<A>(registration, answer, deadline)
}

/** By hand: this runs for every leg with rules that take time, and a race of promises makes five of them. */
function settleLater<A>(registration: Registration, answer: unknown, call: LazyCall): Promise<Settled<A>> {
  return new Promise((resolve) => {
    const end = (settled: Settled<A>) => {
      clearTimeout(timer)
      call.end()
      resolve(settled)
    }
    const late = () => failed(registration, call.isGivenUp ? 'given_up' : 'late', 'gave no answer before its deadline')
    const timer = setTimeout(() => end(late()), Math.max(0, call.deadline - Date.now()))
    const rejected = (thrown: unknown) => {
      // Whoever heeds the signal rejects a moment before the timer above: that is lateness too.
      const failure = call.isGivenUp ? 'given_up' : call.isPast ? 'late' : 'rejected'
      end(failed(registration, failure, describe(thrown)))
    }
    try {
      Promise.resolve(answer).then((value: unknown) => end(judge<A>(registration, value, call.deadline)), rejected)
    } catch (thrown) {
      // A Promise with a `then` or `constructor` of its own.
      rejected(thrown)
    }
  })
}

function judge<A>(registration: Registration, answer: unknown, deadline: number): Settled<A> {
  const { row } = registration
  if (Date.now() > deadline) return failed(registration, 'late', 'answered after its deadline')
  try {
    if (QUICK[registration.hook]?.(answer) === true) return { ok: true, value: answer as A }
    const parsed = row.answer.safeParse(answer)
    if (!parsed.success)
      return failed(registration, answer === undefined ? 'nothing' : 'malformed', describeIssue(parsed.error.issues[0]))
    const foreign = row.kind === 'sequential' ? foreignField(answer, row.writable) : undefined
    return foreign === undefined
      ? { ok: true, value: answer as A }
      : failed(registration, 'forbidden_field', `may not write '${foreign}'`)
  } catch (thrown) {
    return failed(registration, 'malformed', describe(thrown))
  }
}

function foreignField(answer: unknown, writable: readonly string[]): string | undefined {
  const patch = (answer as { patch?: object }).patch
  return patch === undefined ? undefined : Object.keys(patch).find((key) => !writable.includes(key))
}

function failed(registration: Registration, failure: Fault['failure'], detail: string): { ok: false; fault: Fault } {
  const { plugin, hook, row } = registration
  return { ok: false, fault: { plugin, hook, failure, detail, policy: row.onFailure } }
}

const isThenable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

const MAX_DETAIL = 500

/** What a plugin throws may throw again when it is looked at. */
function describe(thrown: unknown): string {
  try {
    return (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `threw ${typeof thrown}`).slice(
      0,
      MAX_DETAIL,
    )
  } catch {
    return 'threw what cannot be described'
  }
}

const describeIssue = (issue: z.core.$ZodIssue | undefined): string =>
  `${issue?.path.map(String).join('.') || 'answer'}: ${issue?.message ?? 'malformed'}`.slice(0, MAX_DETAIL)

/** A signal costs 12 to 25 microseconds: it is made only for a handler that asks for it. */
class LazyCall implements HookCall {
  readonly deadline: number
  readonly #parent: (() => AbortSignal) | undefined
  #lent: AbortSignal | undefined
  #controller: AbortController | undefined
  #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined
  #isPast = false
  #ended = false

  constructor(deadline: number, parent: (() => AbortSignal) | undefined) {
    this.deadline = deadline
    this.#parent = parent
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal()
    return this.#signal
  }

  /** A timer may fire a moment before the clock shows its time. */
  get isPast(): boolean {
    return this.#isPast || Date.now() >= this.deadline
  }

  /** Whoever asked has gone, or has no more use for an answer. */
  get isGivenUp(): boolean {
    return this.#lend()?.aborted === true
  }

  #makeSignal(): AbortSignal {
    const controller = new AbortController()
    this.#controller = controller
    if (this.#ended) controller.abort(new Error('the call has ended'))
    else this.#timer = setTimeout(() => this.#expire(controller), Math.max(0, this.deadline - Date.now()))
    const lent = this.#lend()
    return lent === undefined ? controller.signal : AbortSignal.any([controller.signal, lent])
  }

  #lend(): AbortSignal | undefined {
    return (this.#lent ??= this.#parent?.())
  }

  #expire(controller: AbortController): void {
    this.#isPast = true
    controller.abort(new Error('deadline passed'))
  }

  /** An answer has come or is given up: whatever still runs for it should stop. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#controller?.abort(new Error('the call has ended'))
  }
}
