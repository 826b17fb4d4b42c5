import type { Alert, Delivery, DeliveryAnswer, PluginLog } from '@gatehouse/sdk'
import type { Database } from './carry.js'

/** An enabled exporter, its secrets merged into its configuration. */
export interface ExporterTarget {
  readonly id: string
  readonly name: string
  readonly plugin: string
  readonly config: Readonly<Record<string, unknown>>
}

export interface ExportersOptions {
  readonly database: Database
  /** Asked every few seconds and at `refresh`: what it no longer names is stopped. */
  readonly exporters: () => readonly ExporterTarget[] | Promise<readonly ExporterTarget[]>
  /** Asks the plugin. A throw counts as a `retry`. */
  readonly deliver: (plugin: string, delivery: Delivery) => Promise<DeliveryAnswer>
  /** Runs the work unless another replica runs one of the same name; answers whether it ran. */
  readonly alone: (name: string, work: () => Promise<void>) => Promise<boolean>
  readonly alert: (alert: Alert) => void
  readonly logger: Pick<PluginLog, 'info' | 'warn' | 'error'>
  readonly service: Delivery['service']
  readonly timing?: Partial<ExportTiming>
}

export interface ExportTiming {
  /** How often an exporter that is up to date looks for more. */
  readonly pollMs: number
  /** How often the list of exporters is asked for. */
  readonly refreshMs: number
  /** First and longest pause after a failure, jitter included. */
  readonly pauseMs: readonly [number, number]
  /** After this time the lock is taken anew: it may have been lost with its connection. */
  readonly shiftMs: number
}
