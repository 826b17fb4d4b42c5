import { exporterStatus } from './export-cursor.js'
import type { ExporterStatus } from './export-cursor.js'
import { ExportRun } from './export-run.js'
import type { ExportersOptions, ExportTiming } from './export-options.js'
import { Horizon } from './horizon.js'

const defaultTiming: ExportTiming = { pollMs: 1_000, refreshMs: 5_000, pauseMs: [1_000, 30_000], shiftMs: 60_000 }

export interface Exporters {
  start(): void
  /** Call it when the configuration has changed: an exporter that is another now is tried at once. */
  refresh(): Promise<void>
  status(exporterId: string): Promise<ExporterStatus | null>
  /** Waits for the deliveries under way; what they do not finish is delivered again after the next start. */
  stop(): Promise<void>
}

/**
 * Carries the record to the receivers, each at its own pace from its own cursor, at least once. An outage of a receiver is
 * waited out without end; what a receiver refuses for good goes to the dead letters, with an alert.
 */
export function createExporters(options: ExportersOptions): Exporters {
  const timing = { ...defaultTiming, ...options.timing }
  const horizon = new Horizon(options.database)
  const runs = new Map<string, ExportRun>()
  let timer: NodeJS.Timeout | undefined
  let refreshing: Promise<void> | undefined
  let stopped = false

  const reconcile = async (): Promise<void> => {
    const targets = await options.exporters()
    if (stopped) return
    const wanted = new Map(targets.map((target) => [target.id, target]))
    for (const [id, run] of runs) if (!wanted.has(id)) run.end()
    for (const [id, target] of wanted) {
      const run = runs.get(id)
      if (run && !run.ended) run.retarget(target)
      else runs.set(id, new ExportRun(target, { ...options, timing, horizon }))
    }
    for (const [id, run] of runs) if (run.ended) runs.delete(id)
  }
  const refresh = (): Promise<void> =>
    (refreshing ??= reconcile()
      .catch((error: unknown) => options.logger.error({ error: String(error) }, 'the exporters cannot be listed'))
      .finally(() => (refreshing = undefined)))

  return {
    start() {
      void refresh()
      timer = setInterval(() => void refresh(), timing.refreshMs)
    },
    refresh,
    status: (exporterId) => exporterStatus(options.database, exporterId),
    async stop() {
      stopped = true
      clearInterval(timer)
      await refreshing
      for (const run of runs.values()) run.end()
      await Promise.all([...runs.values()].map((run) => run.done))
    },
  }
}
