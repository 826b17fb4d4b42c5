import type { Patience } from '../domain/bearer.js'
import type { GatehouseError } from '../errors.js'
import type { HttpAnswer, HttpCall } from './http-call.js'
import { fault } from './faults.js'
import type { PeerContext } from './options.js'

export interface HeldStream {
  /** Fulfilled when the first attempt has an outcome: open, or not to be had. Never rejects. */
  readonly settled: Promise<void>
  stop(): void
}

export interface HoldOptions {
  readonly context: PeerContext
  /** To be awaited before an attempt. */
  readonly ready?: (patience: Patience) => void | Promise<void>
  /** Starts one attempt; `onOpen` is called when its head is there. */
  readonly open: (onOpen: () => void) => HttpCall
  /** Whether to try again after an attempt that ended with this. */
  readonly again: (outcome: HttpAnswer | GatehouseError, livedMs: number) => boolean
  /** Called when the stream is open again after it was lost. */
  readonly onReopen: () => void
}

/** Keeps one stream open until `stop`: opened anew after 1 s x 2^n, from the start again once it lived for a while. */
export function holdStream({ context, ready, open, again, onReopen }: HoldOptions): HeldStream {
  const { reopen, reopenMost } = context.timing
  let stopped = false
  let current: HttpCall | undefined
  let wake: (() => void) | undefined
  let settle = () => {}
  const settled = new Promise<void>((resolve) => (settle = resolve))

  async function attempt(isFirst: boolean): Promise<{ lived: number; goOn: boolean }> {
    const started = Date.now()
    const outcome = await answerOf(isFirst).catch((error: GatehouseError) => error)
    settle()
    const lived = Date.now() - started
    return { lived, goOn: !stopped && again(outcome, lived) }
  }

  async function answerOf(isFirst: boolean): Promise<HttpAnswer> {
    const wait = isFirst ? undefined : ready?.({ deadline: Date.now() + context.timing.dial })
    if (wait !== undefined) await wait
    current = open(() => {
      settle()
      if (!isFirst) onReopen()
    })
    return current.answer
  }

  async function run(): Promise<void> {
    for (let failures = 0, first = true; !stopped; first = false) {
      const { lived, goOn } = await attempt(first)
      if (!goOn) return
      failures = lived > reopenMost ? 0 : failures + 1
      const pause = Math.min(reopenMost, reopen * 2 ** Math.max(0, failures - 1))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause)
        timer.unref()
        wake = () => (clearTimeout(timer), resolve())
        if (stopped) wake()
      })
    }
  }

  void run()
  return {
    settled,
    stop() {
      stopped = true
      wake?.()
      current?.abort(fault('GH_UPSTREAM_CANCELLED', context.slug, 'was let go'))
    },
  }
}
