import type { DeliveryAnswer, LogRow } from '@gatehouse/sdk'
import { Bell } from './bell.js'
import { packBatch } from './export-batch.js'
import type { ExportBatch } from './export-batch.js'
import { ExportCursor } from './export-cursor.js'
import type { ExporterTarget, ExportersOptions, ExportTiming } from './export-options.js'
import type { Horizon } from './horizon.js'

const bounds = { rows: 512, bytes: 1_000_000 }
/** A message has about four rows. */
const messagesAtOnce = 256
/** So often is a batch refused before it is given up. */
const rejectionsAllowed = 5
/** So often does a delivery fail before somebody is told. */
const failuresBeforeAlert = 5
/** No receiver may ask for more patience. */
const longestAfterMs = 15 * 60_000

type Options = ExportersOptions & { readonly timing: ExportTiming; readonly horizon: Horizon }
type Failure = Exclude<DeliveryAnswer, { kind: 'delivered' }>

/** One exporter at work. */
export class ExportRun {
  readonly done: Promise<void>
  private readonly cursor: ExportCursor
  private readonly bell = new Bell()
  private stopping = false
  private finished = false
  private trouble: string | undefined

  constructor(
    private target: ExporterTarget,
    private readonly options: Options,
  ) {
    this.cursor = new ExportCursor(options.database, target.id)
    this.done = this.run().finally(() => (this.finished = true))
  }

  get ended(): boolean {
    return this.finished
  }

  /** A changed configuration is tried at once. */
  retarget(target: ExporterTarget): void {
    const changed = JSON.stringify(target) !== JSON.stringify(this.target)
    this.target = target
    if (changed) this.bell.ring()
  }

  end(): void {
    this.stopping = true
    this.bell.ring()
  }

  private async run(): Promise<void> {
    const { alone, timing, logger } = this.options
    while (!this.stopping) {
      try {
        await alone(`exporter ${this.target.id}`, () => this.shift(Date.now() + timing.shiftMs))
        this.trouble = undefined
      } catch (error) {
        if (this.trouble !== String(error))
          logger.error({ exporter: this.target.name, error: String(error) }, 'an exporter cannot go on')
        this.trouble = String(error)
      }
      await this.sleep(timing.pollMs)
    }
  }

  private async shift(until: number): Promise<void> {
    while (!this.stopping && Date.now() < until) {
      const from = await this.cursor.read(() => this.options.horizon.end())
      const batch = await this.nextBatch(from)
      if (batch) await this.send(from, batch)
      else await this.sleep(this.options.timing.pollMs)
    }
  }

  private async nextBatch(from: bigint): Promise<ExportBatch | undefined> {
    const until = await this.options.horizon.current()
    if (until <= from) return undefined
    return packBatch(await this.cursor.messages(from, until, messagesAtOnce), bounds)
  }

  private async send(from: bigint, batch: ExportBatch): Promise<void> {
    for (const rows of batch.deliveries) {
      const refusal = await this.deliver(rows)
      if (refusal === 'stopped') return
      if (refusal) return this.bury(from, batch, refusal)
    }
    await this.cursor.delivered(from, batch.seq)
  }

  /** Undefined when delivered; the answer when the receiver refused it for good. */
  private async deliver(rows: readonly LogRow[]): Promise<Failure | 'stopped' | undefined> {
    let rejections = 0
    for (let attempt = 1; !this.stopping; attempt += 1) {
      const answer = await this.ask(rows, attempt)
      if (answer.kind === 'delivered') return undefined
      if (answer.kind === 'rejected') rejections += 1
      await this.cursor.failed(answer.message.slice(0, 1_000), answer.status)
      if (rejections >= rejectionsAllowed) return answer
      if (attempt === failuresBeforeAlert) this.tell(`Deliveries fail: ${answer.message}`)
      await this.sleep(this.pauseAfter(attempt, answer))
    }
    return 'stopped'
  }

  private async ask(rows: readonly LogRow[], attempt: number): Promise<DeliveryAnswer> {
    const { id, name, plugin, config } = this.target
    try {
      const exporter = { id, name, config }
      return await this.options.deliver(plugin, { exporter, rows, attempt, service: this.options.service })
    } catch (error) {
      return { kind: 'retry', message: error instanceof Error ? error.message : String(error) }
    }
  }

  private async bury(from: bigint, batch: ExportBatch, answer: Failure): Promise<void> {
    const rows = batch.deliveries.flat()
    const { message, status } = answer
    const letter = { attempts: rejectionsAllowed, message: message.slice(0, 1_000), status, rows }
    if (!(await this.cursor.buried(from, batch.seq, letter))) return
    this.tell(`${rows.length} rows were refused and lie in the dead letters: ${answer.message}`)
  }

  /** Doubles from the first pause to the longest, its upper half at random so that replicas do not march in step. */
  private pauseAfter(attempt: number, answer: Failure): number {
    const [first, longest] = this.options.timing.pauseMs
    const ceiling = Math.min(longest, first * 2 ** Math.min(attempt, 16))
    const pause = Math.max(first, ceiling * (0.5 + Math.random() / 2))
    const asked = answer.kind === 'retry' ? (answer.afterMs ?? 0) : 0
    return Math.max(pause, Math.min(asked, longestAfterMs))
  }

  private tell(message: string): void {
    const { logger, alert } = this.options
    logger.warn({ exporter: this.target.name }, message)
    alert({
      type: 'export_failing',
      severity: 'warning',
      key: `export-${this.target.id}`,
      message: `Exporter ${this.target.name}: ${message}`.slice(0, 500),
      context: { exporter: this.target.name },
    })
  }

  private sleep(ms: number): Promise<void> {
    return this.stopping ? Promise.resolve() : this.bell.wait(ms)
  }
}
