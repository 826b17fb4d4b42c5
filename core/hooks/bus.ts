import {
  HOOKS,
  never,
  type AnswerOf,
  type Handler,
  type HookName,
  type HooksOf,
  type KeyedOptions,
  type PayloadOf,
  type Verdict,
} from '@gatehouse/sdk'
import { settle, type Fault, type HookRow, type Registration, type RunOptions, type Settled } from './settle.js'

/** What became of a payload after all handlers of a `sequential` hook; `failed` when it was no plugin's will to block. */
export type Passed<P> =
  | { readonly blocked: false; readonly payload: P }
  | { readonly blocked: true; readonly plugin: string; readonly reason: string; readonly failed: boolean }

export interface KeyedHandler<H extends HooksOf<'keyed'>> {
  readonly plugin: string
  readonly options: KeyedOptions
  readonly ask: (payload: PayloadOf<H>, options?: RunOptions) => Settled<AnswerOf<H>> | Promise<Settled<AnswerOf<H>>>
}

/**
 * Asks the handlers of a hook in the way that its kind demands; asking another way does not compile. Each method answers
 * at once when there is no handler, or when every handler does.
 */
export interface Bus {
  has(hook: HookName): boolean
  sequential<H extends HooksOf<'sequential'>>(
    hook: H,
    payload: PayloadOf<H>,
    options?: RunOptions,
  ): Passed<PayloadOf<H>> | Promise<Passed<PayloadOf<H>>>
  first<H extends HooksOf<'first'>>(
    hook: H,
    payload: PayloadOf<H>,
    options?: RunOptions,
  ): AnswerOf<H> | Promise<AnswerOf<H>>
  parallel<H extends HooksOf<'parallel'>>(
    hook: H,
    payload: PayloadOf<H>,
    options?: RunOptions,
  ): readonly Settled<AnswerOf<H>>[] | Promise<readonly Settled<AnswerOf<H>>[]>
  keyed<H extends HooksOf<'keyed'>>(hook: H, key: string): KeyedHandler<H> | undefined
  keys(hook: HooksOf<'keyed'>): readonly string[]
  /** Every hook that is handled, with its handlers in the order in which they are asked; keyed ones as `key: plugin`. */
  order(): readonly { readonly hook: HookName; readonly handlers: readonly string[] }[]
}

/**
 * The side of the bus that the plugin host writes; `seal` sorts once and ends registration. What no plugin may register
 * throws: an unknown hook, a hook of another kind, a taken key, something that is no function.
 */
export interface Registry {
  add<H extends HooksOf<'sequential' | 'first' | 'parallel'>>(
    plugin: string,
    hook: H,
    handler: Handler<H>,
    order: 'pre' | 'normal' | 'post',
  ): void
  serve<H extends HooksOf<'keyed'>>(
    plugin: string,
    hook: H,
    key: string,
    handler: Handler<H>,
    options: KeyedOptions,
  ): void
  /** Takes back all that a plugin registered. */
  removeAll(plugin: string): void
  seal(): Bus
}

/** The hook table by name; a test may bend a row. */
export type HookRows = Readonly<Record<HookName, HookRow>>

interface KeyedEntry {
  readonly registration: Registration
  readonly key: string
  readonly options: KeyedOptions
}

const RANK = { pre: 0, normal: 1, post: 2 } as const
const NOT_MINE = Object.freeze({ kind: 'notMine' as const })
const none: readonly never[] = Object.freeze([])

export function createRegistry(onFault: (fault: Fault) => void, table: HookRows = HOOKS): Registry {
  const lists = new Map<HookName, Registration[]>()
  const keyed = new Map<string, KeyedEntry>()
  let sealed = false
  const registration = (plugin: string, hook: HookName, handler: unknown, order: Registration['order']) => {
    if (sealed) throw new Error('registration has ended')
    if (!Object.hasOwn(table, hook)) throw new Error(`there is no hook '${hook}'`)
    if (typeof handler !== 'function') throw new Error(`the handler of '${hook}' is not a function`)
    if (!Object.hasOwn(RANK, order)) throw new Error(`a handler's order is 'pre' or 'post', not '${order}'`)
    return { plugin, hook, row: table[hook], handler, order } as unknown as Registration
  }
  return {
    add(plugin, hook, handler, order) {
      const added = registration(plugin, hook, handler, order)
      if (added.row.kind === 'keyed') throw new Error(`'${hook}' is asked by key: it takes serve(), not on()`)
      lists.set(hook, [...(lists.get(hook) ?? none), added])
    },
    serve(plugin, hook, key, handler, options) {
      const added = registration(plugin, hook, handler, 'normal')
      if (added.row.kind !== 'keyed') throw new Error(`'${hook}' is not asked by key: it takes on(), not serve()`)
      if (typeof key !== 'string' || key === '') throw new Error(`a key of '${hook}' is a text that is not empty`)
      const taken = keyed.get(`${hook}/${key}`)
      if (taken !== undefined)
        throw new Error(`'${key}' of '${hook}' is already served by ${taken.registration.plugin}`)
      keyed.set(`${hook}/${key}`, { registration: added, key, options })
    },
    removeAll(plugin) {
      for (const [hook, list] of lists)
        lists.set(
          hook,
          list.filter((entry) => entry.plugin !== plugin),
        )
      for (const [id, entry] of keyed) if (entry.registration.plugin === plugin) keyed.delete(id)
    },
    seal() {
      sealed = true
      return createBus(sorted(lists), keyed, table, onFault)
    },
  }
}

function sorted(lists: ReadonlyMap<HookName, readonly Registration[]>): ReadonlyMap<HookName, readonly Registration[]> {
  return new Map([...lists].map(([hook, list]) => [hook, list.toSorted((a, b) => RANK[a.order] - RANK[b.order])]))
}

/** What all handlers of one run share. */
interface Run {
  readonly deadline: number
  readonly parent: (() => AbortSignal) | undefined
}

/** Asks one after another until `decide` gives a result; no promise is made while handlers answer at once. */
function walk<A, R>(
  list: readonly Registration[],
  run: Run,
  payload: () => unknown,
  decide: (settled: Settled<A>, by: Registration) => R | undefined,
): R | undefined | Promise<R | undefined> {
  for (const [n, registration] of list.entries()) {
    const settled = settle<A>(registration, Object.freeze(payload()), run.deadline, run.parent)
    if (settled instanceof Promise)
      return settled.then((late) => decide(late, registration) ?? walk(list.slice(n + 1), run, payload, decide))
    const decided = decide(settled, registration)
    if (decided !== undefined) return decided
  }
  return undefined
}

function createBus(
  lists: ReadonlyMap<HookName, readonly Registration[]>,
  keyed: ReadonlyMap<string, KeyedEntry>,
  table: HookRows,
  onFault: (fault: Fault) => void,
): Bus {
  const of = (hook: HookName) => lists.get(hook) ?? none
  const runOf = (hook: HookName, options?: RunOptions): Run => ({
    deadline: Math.min(options?.deadline ?? Infinity, Date.now() + (options?.within ?? table[hook].deadlineMs)),
    parent: options?.parent,
  })
  const noted = <A>(settled: Settled<A>): Settled<A> => {
    if (!settled.ok && settled.fault.failure !== 'given_up') onFault(settled.fault)
    return settled
  }

  const runSequential = <P>(hook: HookName, first: P, options?: RunOptions): Passed<P> | Promise<Passed<P>> => {
    let payload = first
    const decide = (settled: Settled<Verdict<object>>, by: Registration): Passed<P> | undefined => {
      const decision = decideOn(noted(settled), by, onFault)
      if (decision.verdict === 'block')
        return { blocked: true, plugin: by.plugin, reason: decision.reason, failed: decision === REFUSED }
      if (decision.verdict === 'modify') payload = { ...payload, ...decision.patch }
      return undefined
    }
    const ended = walk(of(hook), runOf(hook, options), () => payload, decide)
    const orPassed = (end: Passed<P> | undefined) => end ?? { blocked: false, payload }
    return ended instanceof Promise ? ended.then(orPassed) : orPassed(ended)
  }

  return {
    has: (hook) => of(hook).length > 0,
    sequential: (hook, payload, options) =>
      of(hook).length === 0 ? { blocked: false, payload } : runSequential(hook, payload, options),
    first(hook, payload, options) {
      type Answer = AnswerOf<typeof hook>
      if (of(hook).length === 0) return NOT_MINE as Answer
      const decide = (settled: Settled<Answer>) => decideFirst<typeof hook>(noted(settled))
      const ended = walk(of(hook), runOf(hook, options), () => payload, decide)
      return ended instanceof Promise
        ? ended.then((end) => end ?? (NOT_MINE as Answer))
        : (ended ?? (NOT_MINE as Answer))
    },
    parallel(hook, payload, options) {
      type Answer = AnswerOf<typeof hook>
      if (of(hook).length === 0) return none
      const { deadline, parent } = runOf(hook, options)
      const frozen = Object.freeze(payload)
      const all = of(hook).map((registration) => settle<Answer>(registration, frozen, deadline, parent))
      const atOnce = all.filter((settled): settled is Settled<Answer> => !(settled instanceof Promise))
      return atOnce.length === all.length
        ? atOnce.map(noted)
        : Promise.all(all).then((settled) => settled.map((one) => noted(one)))
    },
    keyed(hook, key) {
      const entry = keyed.get(`${hook}/${key}`)
      if (entry === undefined) return undefined
      const ask = (payload: unknown, options?: RunOptions) => {
        const { deadline, parent } = runOf(hook, options)
        const settled = settle(entry.registration, Object.freeze(payload), deadline, parent)
        return settled instanceof Promise ? settled.then(noted) : noted(settled)
      }
      return { plugin: entry.registration.plugin, options: entry.options, ask } as unknown as KeyedHandler<typeof hook>
    },
    keys: (hook) => [...keyed.values()].filter((e) => e.registration.hook === hook).map((e) => e.key),
    order() {
      const byKey = [...keyed.values()]
      const handlersOf = (hook: HookName) => [
        ...of(hook).map((registration) => registration.plugin),
        ...byKey.filter((e) => e.registration.hook === hook).map((e) => `${e.key}: ${e.registration.plugin}`),
      ]
      const rows = (Object.keys(table) as HookName[]).map((hook) => ({ hook, handlers: handlersOf(hook) }))
      return rows.filter((row) => row.handlers.length > 0)
    },
  }
}

type Decision = Extract<Verdict<object>, { verdict: 'pass' | 'modify' | 'block' }>

const PASSED: Decision = Object.freeze({ verdict: 'pass' })
const REFUSED: Decision = Object.freeze({ verdict: 'block', reason: 'A check could not be completed.' })
const MAX_REASON = 500

/** A failure and an `undecided` are decided by the hook's policy; the message of the latter is for the log. */
function decideOn(settled: Settled<Verdict<object>>, by: Registration, onFault: (fault: Fault) => void): Decision {
  const policy = by.row.onFailure
  const fallen = policy === 'open' ? PASSED : REFUSED
  if (!settled.ok) return fallen
  const answer = settled.value
  switch (answer.verdict) {
    case 'pass':
    case 'modify':
      return answer
    case 'block':
      return { verdict: 'block', reason: answer.reason.slice(0, MAX_REASON) }
    case 'undecided':
      onFault({ plugin: by.plugin, hook: by.hook, failure: 'undecided', detail: answer.message.slice(0, 500), policy })
      return fallen
    default:
      return never(answer)
  }
}

function decideFirst<H extends HooksOf<'first'>>(settled: Settled<AnswerOf<H>>): AnswerOf<H> | undefined {
  if (settled.ok) return settled.value.kind === 'notMine' ? undefined : settled.value
  return settled.fault.policy === 'closed' ? refusedBy<H>(settled.fault) : undefined
}

const refusedBy = <H extends HooksOf<'first'>>(fault: Fault) =>
  ({ kind: 'refused', reason: `${fault.plugin} failed: ${fault.failure}` }) as AnswerOf<H>
