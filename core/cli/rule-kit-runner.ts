import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { RuleVector } from '@gatehouse/sdk/rule-abi'
import { CommandError } from './io.js'
import { grantsFor, type RulePackage } from './rule-kit-package.js'
import type { Report, Result } from './rule-kit-worker.js'

const BUILD_MS = 60_000
/** Beside the time that the gateway gives a call: what a cold thread takes to open the rule. */
const SLACK_MS = 2_000

/** Builds a module in a thread of its own, and runs its vectors there. */
export interface Runner {
  readonly report: Report
  /** Null: it did not end in time, and its thread was ended. */
  run(vector: RuleVector): Promise<Result | null>
  stop(): Promise<void>
}

export async function openRunner(rule: RulePackage): Promise<Runner> {
  let [worker, report] = await start(rule)
  let isAlive = true
  const stop = async (): Promise<void> => {
    isAlive = false
    await worker.terminate()
  }
  const run = async (vector: RuleVector): Promise<Result | null> => {
    if (!isAlive) [worker, report] = await start(rule)
    isAlive = true
    const answer = next<Result>(worker, (report.limits?.killMs ?? 0) + SLACK_MS)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage(vector)
    const result = await answer
    if (result === null) await stop()
    return result
  }
  return { report, run, stop }
}

async function start(rule: RulePackage): Promise<[Worker, Report]> {
  const { bytes, manifest } = rule
  const worker = new Worker(new URL('rule-kit-worker.js', import.meta.url), {
    workerData: { bytes: new Uint8Array(bytes), manifest, grants: grantsFor(rule) },
    // What Node itself has to say about its parts there is of no use here.
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  const report = await next<Report>(worker, BUILD_MS)
  if (report !== null) return [worker, report]
  await worker.terminate()
  throw new CommandError(`${rule.path} could not be made ready within ${BUILD_MS / 1000} s.`)
}

/** What the thread says next; null: nothing in time, or it ended of itself. */
async function next<T>(worker: Worker, ms: number): Promise<T | null> {
  try {
    const [message] = (await once(worker, 'message', { signal: AbortSignal.timeout(ms) })) as [T]
    return message
  } catch {
    return null
  }
}
