import type { AnswerOf, Handler, HookCall, HookName, HooksOf, PayloadOf } from './hooks.js'
import { HOOKS } from './hooks.js'
import type { KeyedOptions, Plugin, PluginContext, PluginFetch, PluginLog, RunningPlugin } from './plugin.js'

/** What a test may set; everything has a default. */
export interface TestHostOptions {
  /** Stands in for the way out; without it a `fetch` rejects. */
  readonly fetch?: PluginFetch
  readonly now?: () => number
}

/** A line that the plugin logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A started plugin, alone, without the core. */
export interface TestHost {
  /** Asks the plugin's handler of a plain hook. Rejects when it has none, or when the answer does not fit the hook. */
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
  const parsed = plugin.config.safeParse(config)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new TypeError(`config.${issue?.path.join('.')}: ${issue?.message}`)
  }
  const handlers = new Map<string, Handler<HookName>>()
  const keyedOptions = new Map<string, KeyedOptions>()
  const lines: LogLine[] = []
  const context = fakeContext(parsed.data, options, handlers, keyedOptions, lines)
  const running: RunningPlugin = (await plugin.setup(context)) ?? {}
  const ask = async (id: string, hook: HookName, payload: unknown, call: Partial<HookCall> = {}) => {
    const handler = handlers.get(id)
    if (handler === undefined) throw new Error(`the plugin has no handler for '${id}'`)
    const answer = await (handler as (payload: unknown, call: HookCall) => unknown)(Object.freeze(payload), {
      deadline: call.deadline ?? Date.now() + HOOKS[hook].deadlineMs,
      signal: call.signal ?? new AbortController().signal,
    })
    const fits = HOOKS[hook].answer.safeParse(answer)
    if (!fits.success) throw new TypeError(`the answer to '${hook}' does not fit: ${fits.error.issues[0]?.message}`)
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

function fakeContext<Config>(
  config: Config,
  options: TestHostOptions,
  handlers: Map<string, Handler<HookName>>,
  keyedOptions: Map<string, KeyedOptions>,
  lines: LogLine[],
): PluginContext<Config> {
  const kept = new Map<string, string>()
  const line = (level: LogLine['level']) => (fields: LogLine['fields'], message: string) =>
    void lines.push({ level, fields, message })
  const log: PluginLog = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  return {
    config,
    log,
    on: (hook, handler) => void handlers.set(hook, handler as Handler<HookName>),
    serve(hook, key, handler, given) {
      handlers.set(`${hook}/${key}`, handler as Handler<HookName>)
      keyedOptions.set(`${hook}/${key}`, given ?? {})
    },
    store: {
      get: async (key) => kept.get(key),
      set: async (key, value) => void kept.set(key, value),
      delete: async (key) => void kept.delete(key),
    },
    fetch: options.fetch ?? (() => Promise.reject(new Error('this test lends no fetch'))),
    now: options.now ?? Date.now,
  }
}
