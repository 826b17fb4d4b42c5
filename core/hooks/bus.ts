import {
  HOOKS,
  type AnswerOf,
  type Handler,
  type HookName,
  type HooksOf,
  type KeyedOptions,
  type PayloadOf,
  type Verdict,
} from '@gatehouse/sdk'
import { settle, type Fault, type Registration, type RunOptions, type Settled } from './settle.js'

/** What became of a payload after all handlers of a `sequential` hook. */
export type Passed<P> =
  | { readonly blocked: false; readonly payload: P }
  | { readonly blocked: true; readonly plugin: string; readonly reason: string }

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
  ): Promise<readonly Settled<AnswerOf<H>>[]>
  keyed<H extends HooksOf<'keyed'>>(hook: H, key: string): KeyedHandler<H> | undefined
  keys(hook: HooksOf<'keyed'>): readonly string[]
  /** Every hook with its handlers in the order in which they are asked. */
  order(): readonly { readonly hook: HookName; readonly handlers: readonly string[] }[]
}

/** The side of the bus that the plugin host writes; `seal` sorts once and ends registration. */
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

const RANK = { pre: 0, normal: 1, post: 2 } as const
const NOT_MINE = Object.freeze({ kind: 'notMine' as const })
const none: readonly Registration[] = []

export function createRegistry(onFault: (fault: Fault) => void): Registry {
  const lists = new Map<HookName, Registration[]>()
  const keyed = new Map<string, { registration: Registration; key: string; options: KeyedOptions }>()
  return {
    add(plugin, hook, handler, order) {
      const row = HOOKS[hook]
      if (row === undefined || (row.kind as string) === 'keyed') throw new Error(`'${hook}' takes no plain handler`)
      const registration = { plugin, hook, handler, order } as unknown as Registration
      lists.set(hook, [...(lists.get(hook) ?? none), registration])
    },
    serve(plugin, hook, key, handler, options) {
      if (HOOKS[hook]?.kind !== 'keyed') throw new Error(`'${hook}' takes no keyed handler`)
      const taken = keyed.get(`${hook}/${key}`)
      if (taken !== undefined)
        throw new Error(`'${key}' of '${hook}' is already served by ${taken.registration.plugin}`)
      const registration = { plugin, hook, handler, order: 'normal' } as unknown as Registration
      keyed.set(`${hook}/${key}`, { registration, key, options })
    },
    removeAll(plugin) {
      for (const [hook, list] of lists)
        lists.set(
          hook,
          list.filter((entry) => entry.plugin !== plugin),
        )
      for (const [id, entry] of keyed) if (entry.registration.plugin === plugin) keyed.delete(id)
    },
    seal: () => createBus(sorted(lists), new Map(keyed), onFault),
  }
}

function sorted(lists: ReadonlyMap<HookName, readonly Registration[]>): ReadonlyMap<HookName, readonly Registration[]> {
  return new Map([...lists].map(([hook, list]) => [hook, list.toSorted((a, b) => RANK[a.order] - RANK[b.order])]))
}

function createBus(
  lists: ReadonlyMap<HookName, readonly Registration[]>,
  keyed: ReadonlyMap<string, { registration: Registration; key: string; options: KeyedOptions }>,
  onFault: (fault: Fault) => void,
): Bus {
  const of = (hook: HookName) => lists.get(hook) ?? none
  const deadlineOf = (hook: HookName, options?: RunOptions) =>
    Math.min(options?.deadline ?? Infinity, Date.now() + HOOKS[hook].deadlineMs)
  const noted = <A>(settled: Settled<A>): Settled<A> => {
    if (!settled.ok) onFault(settled.fault)
    return settled
  }

  const runSequential = async <P>(hook: HookName, first: P, options?: RunOptions): Promise<Passed<P>> => {
    const deadline = deadlineOf(hook, options)
    let payload = first
    for (const registration of of(hook)) {
      const settled = noted(
        await settle<Verdict<object>>(registration, Object.freeze(payload), deadline, options?.parent),
      )
      const answer = settled.ok ? settled.value : onClosed(settled.fault)
      switch (answer.verdict) {
        case 'pass':
          break
        case 'modify':
          payload = { ...payload, ...answer.patch }
          break
        case 'block':
          return { blocked: true, plugin: registration.plugin, reason: answer.reason.slice(0, 500) }
        case 'undecided':
          if (HOOKS[hook].onFailure === 'closed')
            return { blocked: true, plugin: registration.plugin, reason: 'A check could not be completed.' }
      }
    }
    return { blocked: false, payload }
  }

  const runFirst = async <H extends HooksOf<'first'>>(hook: H, payload: unknown, options?: RunOptions, from = 0) => {
    const deadline = deadlineOf(hook, options)
    for (const registration of of(hook).slice(from)) {
      const settled = noted(await settle<AnswerOf<H>>(registration, payload, deadline, options?.parent))
      if (settled.ok ? settled.value.kind !== 'notMine' : settled.fault.policy === 'closed')
        return settled.ok ? settled.value : refusedBy<H>(settled.fault)
    }
    return NOT_MINE as AnswerOf<H>
  }

  return {
    has: (hook) => of(hook).length > 0,
    sequential: (hook, payload, options) =>
      of(hook).length === 0 ? { blocked: false, payload } : runSequential(hook, payload, options),
    first(hook, payload, options) {
      const head = of(hook)[0]
      if (head === undefined) return NOT_MINE as AnswerOf<typeof hook>
      // The first handler mostly answers at once: no promise is made for it.
      const settled = settle<AnswerOf<typeof hook>>(
        head,
        Object.freeze(payload),
        deadlineOf(hook, options),
        options?.parent,
      )
      if (settled instanceof Promise)
        return settled.then((late) => decideFirst<typeof hook>(noted(late)) ?? runFirst(hook, payload, options, 1))
      return decideFirst<typeof hook>(noted(settled)) ?? runFirst(hook, payload, options, 1)
    },
    async parallel(hook, payload, options) {
      const deadline = deadlineOf(hook, options)
      const frozen = Object.freeze(payload)
      const all = of(hook).map((registration) =>
        settle<AnswerOf<typeof hook>>(registration, frozen, deadline, options?.parent),
      )
      return (await Promise.all(all)).map(noted)
    },
    keyed(hook, key) {
      const entry = keyed.get(`${hook}/${key}`)
      if (entry === undefined) return undefined
      const ask = (payload: unknown, options?: RunOptions) => {
        const settled = settle(entry.registration, Object.freeze(payload), deadlineOf(hook, options), options?.parent)
        return settled instanceof Promise ? settled.then(noted) : noted(settled)
      }
      return { plugin: entry.registration.plugin, options: entry.options, ask } as unknown as KeyedHandler<typeof hook>
    },
    keys: (hook) => [...keyed.values()].filter((e) => e.registration.hook === hook).map((e) => e.key),
    order() {
      const plain = [...lists].map(([hook, list]) => ({ hook, handlers: list.map((r) => r.plugin) }))
      const byKey = [...keyed.values()].map((e) => ({
        hook: e.registration.hook,
        handlers: [`${e.key}: ${e.registration.plugin}`],
      }))
      return [...plain.filter((row) => row.handlers.length > 0), ...byKey]
    },
  }
}

const onClosed = (fault: Fault): Verdict<object> =>
  fault.policy === 'open' ? { verdict: 'pass' } : { verdict: 'block', reason: 'A check could not be completed.' }

function decideFirst<H extends HooksOf<'first'>>(settled: Settled<AnswerOf<H>>): AnswerOf<H> | undefined {
  if (settled.ok) return settled.value.kind === 'notMine' ? undefined : settled.value
  return settled.fault.policy === 'closed' ? refusedBy<H>(settled.fault) : undefined
}

const refusedBy = <H extends HooksOf<'first'>>(fault: Fault) =>
  ({ kind: 'refused', reason: `${fault.plugin} failed: ${fault.failure}` }) as AnswerOf<H>
