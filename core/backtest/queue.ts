import type { PluginLog } from '@gatehouse/sdk'
import type { ReplayRow, ReplayRows } from '../db/repositories/replays.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import type { ReplayJob, Told } from '../domain/replay.js'

/** A backtest under way in a process of its own. */
export interface RunningReplay {
  /** What it came to; rejects when it broke. */
  readonly ended: Promise<Told>
  /** It ends soon, with what it has so far. */
  cancel(): void
}

export type RunReplay = (job: ReplayJob, onTold: (told: Told) => void) => RunningReplay

export interface ReplayQueueOptions {
  readonly rows: ReplayRows
  readonly run: RunReplay
  readonly logger: Pick<PluginLog, 'info' | 'warn'>
  /** How often the row is written and looked at. */
  readonly beatMs?: number
}

/** The backtests of this replica: one at a time, the others wait. Any replica tells of them and can cancel them. */
export interface ReplayQueue {
  start(job: Omit<ReplayJob, 'id'>, by: { readonly userId: string | null; readonly spec: object }): Promise<string>
  find(id: string): Promise<ReplayRow | null>
  /** False: it has ended already. */
  cancel(id: string): Promise<boolean>
  sweep(limit: number): Promise<number>
  /** What is under way ends, and is told to have failed. */
  stop(): Promise<void>
}

const MOST_WAITING = 10
const KEPT_MS = 24 * 3_600_000
const STOPPED = 'The gateway that ran it was stopped. Start it again.'

interface Waiting {
  readonly job: ReplayJob
  cancelled: boolean
  running: RunningReplay | null
}

export function createReplayQueue(options: ReplayQueueOptions): ReplayQueue {
  return new Queue(options)
}

class Queue implements ReplayQueue {
  readonly #options: ReplayQueueOptions
  readonly #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined
  #pumping: Promise<void> | undefined
  #stopped = false
  /** Those whose rows are being made. */
  #coming = 0

  constructor(options: ReplayQueueOptions) {
    this.#options = options
  }

  async start(job: Omit<ReplayJob, 'id'>, { userId, spec }: { userId: string | null; spec: object }): Promise<string> {
    if (this.#stopped || this.#waiting.length + this.#coming >= MOST_WAITING)
      throw new GatehouseError('GH_BACKTEST_BUSY')
    this.#coming += 1
    const made = this.#options.rows.insert({ createdBy: userId, gatewayId: job.gatewayId, spec, keptMs: KEPT_MS })
    const id = await made.finally(() => (this.#coming -= 1))
    if (this.#stopped) {
      await this.#options.rows.finish(id, 'failed', STOPPED)
      throw new GatehouseError('GH_BACKTEST_BUSY')
    }
    const { gatewayId, bodies, external } = job
    this.#options.logger.info({ replay: id, by: userId, gatewayId, bodies, external }, 'a backtest was asked for')
    this.#waiting.push({ job: { ...job, id }, cancelled: false, running: null })
    this.#timer ??= setInterval(() => void this.#beat(), this.#options.beatMs ?? 1_000).unref()
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined
    })
    return id
  }

  find(id: string): Promise<ReplayRow | null> {
    return this.#options.rows.find(id)
  }

  async cancel(id: string): Promise<boolean> {
    const told = await this.#options.rows.cancel(id)
    await this.#beat()
    return told
  }

  sweep(limit: number): Promise<number> {
    return this.#options.rows.sweep(limit)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    const { rows } = this.#options
    for (const { job } of this.#waiting) await rows.finish(job.id, 'failed', STOPPED).catch(() => undefined)
    for (const one of this.#waiting.splice(0)) end(one)
    await this.#pumping
  }

  async #pump(): Promise<void> {
    for (let one = this.#waiting[0]; one !== undefined; one = this.#waiting[0]) {
      try {
        await this.#run(one)
      } catch (thrown) {
        this.#options.logger.warn({ replay: one.job.id, error: whyOf(thrown) }, 'a backtest could not be told of')
      }
      if (this.#waiting[0] === one) this.#waiting.shift()
    }
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #run(one: Waiting): Promise<void> {
    const { rows, run, logger } = this.#options
    const { id } = one.job
    if (one.cancelled) return rows.finish(id, 'cancelled', null)
    await rows.begin(id)
    let writing = Promise.resolve()
    const write = (told: Told) => {
      const { progress, report, samples } = told
      writing = writing.then(() => rows.tell(id, { progress, report, samples: JSON.stringify(samples) }))
      writing.catch(() => undefined)
    }
    one.running = run(one.job, write)
    if (one.cancelled) one.running.cancel()
    try {
      const told = await one.running.ended
      write(told)
      await writing
      await rows.finish(id, told.report.stoppedBy === 'cancel' ? 'cancelled' : 'done', null)
      logger.info({ replay: id, messages: told.progress.read, ms: told.report.durationMs }, 'a backtest has ended')
    } catch (thrown) {
      logger.warn({ replay: id, error: whyOf(thrown) }, 'a backtest has failed')
      await rows.finish(id, one.cancelled ? 'cancelled' : 'failed', one.cancelled ? null : whyOf(thrown))
    }
  }

  /** Tells the others that these live, and hears which of them were cancelled, here or elsewhere. */
  async #beat(): Promise<void> {
    const ids = this.#waiting.map(({ job }) => job.id)
    if (ids.length === 0) return
    // What cannot be asked now is asked again in a second.
    const cancelled = await this.#options.rows.beat(ids).catch((): readonly string[] => [])
    for (const one of this.#waiting) if (cancelled.includes(one.job.id)) end(one)
  }
}

function end(one: Waiting): void {
  one.cancelled = true
  one.running?.cancel()
}

function whyOf(thrown: unknown): string {
  const { code, message } = asGatehouseError(thrown)
  return code === 'GH_INTERNAL' ? 'It broke; the log of the gateway has the cause.' : message
}
