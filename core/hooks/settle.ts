import { HOOKS, type FailurePolicy, type Handler, type HookCall, type HookName } from '@gatehouse/sdk'

/** What went wrong with a handler; `detail` is for the log. */
export interface Fault {
  readonly plugin: string
  readonly hook: HookName
  readonly failure: 'threw' | 'rejected' | 'late' | 'nothing' | 'malformed' | 'forbidden_field'
  readonly detail: string
  readonly policy: FailurePolicy
}

export type Settled<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly fault: Fault }

export interface Registration<H extends HookName = HookName> {
  readonly plugin: string
  readonly hook: H
  readonly handler: Handler<H>
  readonly order: 'pre' | 'normal' | 'post'
}

/** Limits of one run: all handlers share the deadline; `parent` ends them early. */
export interface RunOptions {
  readonly deadline?: number
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
  try {
    answer = (registration.handler as (payload: unknown, call: HookCall) => unknown)(payload, call)
  } catch (thrown) {
    call.end()
    return failed(registration, 'threw', describe(thrown))
  }
  if (!isThenable(answer)) {
    call.end()
    return Date.now() > deadline
      ? failed(registration, 'late', 'answered after its deadline')
      : judge<A>(registration, answer)
  }
  return settleLater<A>(registration, answer, call, deadline)
}

async function settleLater<A>(
  registration: Registration,
  answer: PromiseLike<unknown>,
  call: LazyCall,
  deadline: number,
): Promise<Settled<A>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(0, deadline - Date.now()))
  })
  try {
    const won = await Promise.race([Promise.resolve(answer).then((value) => ({ value })), late])
    return won === 'late'
      ? failed(registration, 'late', 'gave no answer before its deadline')
      : judge<A>(registration, won.value)
  } catch (thrown) {
    return failed(registration, 'rejected', describe(thrown))
  } finally {
    clearTimeout(timer)
    call.end()
  }
}

function judge<A>(registration: Registration, answer: unknown): Settled<A> {
  const row = HOOKS[registration.hook]
  if (answer === undefined && !row.answer.safeParse(undefined).success)
    return failed(registration, 'nothing', 'answered nothing')
  const parsed = row.answer.safeParse(answer)
  if (!parsed.success) return failed(registration, 'malformed', parsed.error.issues[0]?.message ?? 'malformed')
  const foreign = row.kind === 'sequential' ? foreignField(answer, row.writable) : undefined
  return foreign === undefined
    ? { ok: true, value: answer as A }
    : failed(registration, 'forbidden_field', `may not write '${foreign}'`)
}

function foreignField(answer: unknown, writable: readonly string[]): string | undefined {
  const patch = (answer as { patch?: object }).patch
  return patch === undefined ? undefined : Object.keys(patch).find((key) => !writable.includes(key))
}

function failed(registration: Registration, failure: Fault['failure'], detail: string): { ok: false; fault: Fault } {
  const { plugin, hook } = registration
  return { ok: false, fault: { plugin, hook, failure, detail, policy: HOOKS[hook].onFailure } }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'

const describe = (thrown: unknown): string =>
  thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `threw ${typeof thrown}`

/** A signal costs 12 to 25 microseconds: it is made only for a handler that asks for it. */
class LazyCall implements HookCall {
  readonly deadline: number
  readonly #parent: (() => AbortSignal) | undefined
  #controller: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(deadline: number, parent: (() => AbortSignal) | undefined) {
    this.deadline = deadline
    this.#parent = parent
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      const abort = () => this.#controller?.abort(new Error('deadline passed'))
      if (this.#ended || Date.now() >= this.deadline) abort()
      else this.#timer = setTimeout(abort, this.deadline - Date.now())
    }
    return this.#parent === undefined
      ? this.#controller.signal
      : AbortSignal.any([this.#controller.signal, this.#parent()])
  }

  /** An answer has come or is given up: whatever still runs for it should stop. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#controller?.abort(new Error('the call has ended'))
  }
}
