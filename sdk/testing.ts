import type { CallContext } from './call.js'
import type { PluginDial, PluginFetch } from './egress.js'
import type { AnswerOf, Handler, HookCall, HookName, HooksOf, PayloadOf } from './hooks.js'
import { HOOKS } from './hooks.js'
import { createMemoryStore } from './memory-store.js'
import type { KeyedOptions, Plugin, PluginContext, PluginLog, PluginStore, RunningPlugin } from './plugin.js'
import { parseStrictly } from './strict.js'

/** What a test may set; everything has a default. */
export interface TestHostOptions {
  /** Stands in for the way out; without it a `fetch` rejects. */
  readonly fetch?: PluginFetch
  /** Stands in for the way out of what is no HTTP; without it a `dial` rejects. */
  readonly dial?: PluginDial
  readonly now?: () => number
  /** Stands in for what the plugin keeps; without it, that is kept in memory. */
  readonly store?: PluginStore
}

/** The facts of a call for a payload: `tools/call` of the tool `echo`, save what is told otherwise. */
export function callContext(facts: Partial<CallContext> = {}): CallContext {
  return {
    correlationId: '01890000-0000-7000-8000-000000000000',
    method: 'tools/call',
    rpcId: 1,
    era: 'modern',
    gateway: { id: 'gateway-1', slug: 'engineering' },
    server: { id: 'server-1', slug: 'everything' },
    feature: { kind: 'tool', name: 'echo' },
    user: { id: 'user-1', email: 'user@example.com' },
    host: { id: 'host-1', name: 'Inspector' },
    connection: { id: 'connection-1' },
    attributes: {},
    ...facts,
  }
}

/** A line that the plugin logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A started plugin, alone, without the core. */
export interface TestHost {
  /**
   * Asks the plugin's handlers of a plain hook in the order of their registration until one says something else than
   * `notMine` or `pass`, and gives the last answer. Rejects when there is none, with what a handler throws, and with a
   * `TypeError` when an answer does not fit the hook or writes a field that is not writable.
   */
  ask<H extends HooksOf<'sequential' | 'first' | 'parallel'>>(
    hook: H,
    payload: PayloadOf<H>,
    call?: Partial<HookCall>,
  ): Promise<AnswerOf<H>>
  /** Asks the plugin's handler for one key. */
  askKeyed<H extends HooksOf<'keyed'>>(
    hook: H,
    key: string,
    payload: PayloadOf<H>,
    call?: Partial<HookCall>,
  ): Promise<AnswerOf<H>>
  readonly log: readonly LogLine[]
  readonly keys: readonly string[]
  readonly options: ReadonlyMap<string, KeyedOptions>
  stop(): Promise<void>
}

/**
 * Starts a plugin as the gateway would: its configuration is parsed strictly, its `setup` awaited. Throws what `setup`
 * throws, and a `TypeError` naming the key when the configuration does not fit.
 */
export async function startPlugin<Config>(
  plugin: Plugin<Config>,
  config: unknown = {},
  options: TestHostOptions = {},
): Promise<TestHost> {
  const parsed = parseStrictly(plugin.config, config)
  if (!parsed.ok) throw new TypeError(parsed.problem)
  const handlers = new Map<string, Handler<HookName>[]>()
  const keyedOptions = new Map<string, KeyedOptions>()
  const lines: LogLine[] = []
  const setup = { open: true }
  const context = fakeContext(parsed.value, options, { handlers, keyedOptions, lines, setup })
  const running: RunningPlugin = (await plugin.setup(context)) ?? {}
  setup.open = false
  const ask = async (id: string, hook: HookName, payload: unknown, given: Partial<HookCall> = {}) => {
    const asked = handlers.get(id)
    if (asked === undefined) throw new Error(`the plugin has no handler for '${id}'`)
    const call: HookCall = {
      deadline: given.deadline ?? Date.now() + HOOKS[hook].deadlineMs,
      signal: given.signal ?? new AbortController().signal,
    }
    let answer: unknown
    for (const handler of asked) {
      answer = await (handler as (payload: unknown, call: HookCall) => unknown)(Object.freeze(payload), call)
      checkAnswer(hook, answer)
      if (!goesOn(answer)) break
    }
    return answer
  }
  return {
    ask: (hook, payload, call) => ask(hook, hook, payload, call) as never,
    askKeyed: (hook, key, payload, call) => ask(`${hook}/${key}`, hook, payload, call) as never,
    log: lines,
    keys: [...handlers.keys()],
    options: keyedOptions,
    stop: async () => running.stop?.(),
  }
}

function checkAnswer(hook: HookName, answer: unknown): void {
  const { answer: schema, kind, writable } = HOOKS[hook]
  const fits = schema.safeParse(answer)
  if (!fits.success) throw new TypeError(`the answer to '${hook}' does not fit: ${fits.error.issues[0]?.message}`)
  if (kind !== 'sequential') return
  const fields = Object.keys((answer as { patch?: object }).patch ?? {})
  const foreign = fields.find((field) => !(writable as readonly string[]).includes(field))
  if (foreign !== undefined) throw new TypeError(`the answer to '${hook}' may not write '${foreign}'`)
}

function goesOn(answer: unknown): boolean {
  const { kind, verdict } = (answer ?? {}) as { kind?: unknown; verdict?: unknown }
  return answer === undefined || kind === 'notMine' || verdict === 'pass'
}

/** What a plugin registers and writes, kept for the test. */
interface Kept {
  readonly handlers: Map<string, Handler<HookName>[]>
  readonly keyedOptions: Map<string, KeyedOptions>
  readonly lines: LogLine[]
  readonly setup: { readonly open: boolean }
}

function fakeContext<Config>(config: Config, options: TestHostOptions, kept: Kept): PluginContext<Config> {
  const { handlers, keyedOptions, lines } = kept
  const now = options.now ?? Date.now
  const register = (id: string, hook: HookName, isKeyed: boolean, handler: unknown) => {
    if (!kept.setup.open) throw new Error('handlers can be registered during setup only')
    if (!Object.hasOwn(HOOKS, hook)) throw new Error(`there is no hook '${hook}'`)
    if ((HOOKS[hook].kind === 'keyed') !== isKeyed) throw new Error(`'${hook}' takes ${isKeyed ? 'on' : 'serve'}()`)
    if (isKeyed && handlers.has(id)) throw new Error(`'${id}' is already served`)
    handlers.set(id, [...(handlers.get(id) ?? []), handler as Handler<HookName>])
  }
  const line = (level: LogLine['level']) => (fields: LogLine['fields'], message: string) =>
    void lines.push({ level, fields, message })
  const log: PluginLog = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  return Object.freeze({
    config,
    log,
    on: (hook, handler) => register(hook, hook, false, handler),
    serve(hook, key, handler, given) {
      register(`${hook}/${key}`, hook, true, handler)
      keyedOptions.set(`${hook}/${key}`, given ?? {})
    },
    store: options.store ?? createMemoryStore(now),
    fetch: options.fetch ?? (() => Promise.reject(new Error('this test lends no fetch'))),
    dial: options.dial ?? (() => Promise.reject(new Error('this test lends no dial'))),
    now,
  } satisfies PluginContext<Config>)
}
