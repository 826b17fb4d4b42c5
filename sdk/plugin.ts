import type { z } from 'zod'
import type { PluginDial, PluginFetch } from './egress.js'
import type { EngineDeclaration } from './engine.js'
import type { Handler, HooksOf } from './hooks.js'

/** The version of this contract; a plugin states the range it was written for. */
export const SDK_VERSION = '0.1.0'

/** A child of the gateway's own log (JSON lines). Never write secrets, tokens or tool arguments. */
export interface PluginLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Key-value store of one plugin, kept in the database. Keys at most 256 characters, values at most 64 KiB of text. */
export interface PluginStore {
  get(key: string): Promise<string | undefined>
  /** With `ttlMs`, it is gone after so long. */
  set(key: string, value: string, options?: { readonly ttlMs?: number }): Promise<void>
  delete(key: string): Promise<void>
  /**
   * Writes only if what is stored is `was`: in one step, over all replicas. False, and nothing was written, when it is something else.
   * So what was made of a value never undoes what another replica wrote meanwhile: read it again then, and make it anew.
   */
  replace(key: string, replacement: Replacement): Promise<boolean>
}

export interface Replacement {
  /** Undefined: nothing, or what has run out. */
  readonly was: string | undefined
  /** Undefined: deletes it. */
  readonly value: string | undefined
  /** After so long `value` is gone. */
  readonly ttlMs?: number
}

export interface HandlerOptions {
  /** Before or after the handlers that say nothing; among equals the order of the `plugins:` list holds. */
  readonly order?: 'pre' | 'post'
}

export interface KeyedOptions {
  /** Schema of one instance's configuration (an exporter, an engine, an alert target); parsed strictly by core. */
  readonly config?: z.ZodType
  /** Top-level keys of that configuration whose values are secrets: sealed at rest, never shown again. */
  readonly secret?: readonly string[]
  /** With `engine.prepare` only, and there always. */
  readonly engine?: EngineDeclaration
}

/** All that a plugin gets. There is no container, no database handle and no web framework behind it. */
export interface PluginContext<Config> {
  readonly config: Config
  readonly log: PluginLog
  /** Handles a hook of kind `sequential`, `first` or `parallel`. Only during `setup`. */
  on<H extends HooksOf<'sequential' | 'first' | 'parallel'>>(
    hook: H,
    handler: Handler<H>,
    options?: HandlerOptions,
  ): void
  /** Handles a `keyed` hook for one key, e.g. an engine's kind. A key that is taken refuses the start. */
  serve<H extends HooksOf<'keyed'>>(hook: H, key: string, handler: Handler<H>, options?: KeyedOptions): void
  readonly store: PluginStore
  readonly fetch: PluginFetch
  readonly dial: PluginDial
  /** Milliseconds since the epoch; a test may turn it. */
  now(): number
}

/** What `setup` may return: how to stop. Called once, in reverse order of the start, with a deadline of 10 s. */
export interface RunningPlugin {
  stop?(): void | Promise<void>
}

/**
 * A plugin. Its `id` is its folder's name, `family-name` (`auth-token`, `siem-otlp`). `config` is parsed strictly
 * (`parseStrictly`): an unknown key refuses the start and names itself. A throwing or late `setup` is undone and refuses
 * the start; what it answers after its deadline is stopped.
 * A TypeScript plugin is trusted code: a deadline cannot stop its synchronous loop.
 */
export interface Plugin<Config = unknown> {
  readonly id: string
  /** Semver range of the SDK, e.g. `^0.1.0`. */
  readonly sdk: string
  /** Ids of plugins that must be set up before this one. */
  readonly dependsOn?: readonly string[]
  readonly config: z.ZodType<Config>
  setup(context: PluginContext<Config>): void | RunningPlugin | Promise<void | RunningPlugin>
}

/** Declares a plugin; the only thing that a plugin module exports, as its default. */
export function definePlugin<Config>(plugin: Plugin<Config>): Plugin<Config> {
  return Object.freeze(plugin)
}
