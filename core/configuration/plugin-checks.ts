import type { ConfigError } from '@gatehouse/sdk'

/** What only the running gateway can tell of the plugins of one family. */
export interface PluginChecks {
  /** Plugins that are loaded. */
  readonly loaded: () => readonly string[]
  /** What the plugin says of a configuration, secrets and all. */
  readonly check: (plugin: string, config: Readonly<Record<string, unknown>>) => Promise<readonly ConfigError[]>
  /** Keys of its configuration that the plugin declares as secret. */
  readonly secrets: (plugin: string) => readonly string[]
}
