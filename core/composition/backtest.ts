import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Told } from '../domain/replay.js'
import { createReceipts, type Receipts } from '../backtest/receipts.js'
import { ranArtifact } from '../configuration/nouns/artifact-references.js'
import { openEngine } from '../configuration/nouns/open-engine.js'
import { createReplayQueue, type ReplayQueue, type RunningReplay, type RunReplay } from '../backtest/queue.js'
import { createReplayRows } from '../db/repositories/replays.js'
import { ERRORS, type ErrorCode, GatehouseError } from '../errors.js'
import type { ApiOptions } from '../http/api/operation.js'
import type { ChildStart } from './backtest-child.js'
import { type House, PARTS, type Surroundings } from './house.js'
import { asPluginLog } from './resources.js'

const ENTRY = fileURLToPath(new URL('../backtest-main.js', import.meta.url))
/** Enough for a page of the longest bodies; a backtest that wants more ends itself and nobody else. */
const MOST_MEMORY = 384
/** After its own time it has so long to end by itself, and after it was cancelled so long. */
const OVERTIME_MS = 60_000
const CANCEL_MS = 5_000

type Said = { readonly told?: Told; readonly ended?: Told; readonly failed?: { code: ErrorCode; message: string } }

export function createReplays(house: House, around: Surroundings): ReplayQueue {
  const { dataSource, vault, databaseUrl } = house.get(PARTS.resources)
  return createReplayQueue({
    rows: createReplayRows(dataSource.manager, vault),
    run: runInProcess(databaseUrl, around),
    logger: asPluginLog(around.log),
  })
}

export function openReceipts(house: House, { log }: Surroundings): Receipts {
  const { recordPool } = house.get(PARTS.resources)
  const store = house.get(PARTS.store)
  return createReceipts({
    database: recordPool,
    logger: asPluginLog(log),
    rules: house.get(PARTS.rules),
    kinds: house.get(PARTS.engines).kinds,
    open: house.get(PARTS.bodySealer).open,
    async instanceOf(name) {
      const engine = await store.engines.byKey(name)
      return engine === null ? null : openEngine(store, engine)
    },
    artifactOf: (kind, facts) => ranArtifact(store, kind, facts),
  })
}

/** An engine with a configuration of its own is an address and a key: texts leave through it. */
export function replaysOf(house: House): ApiOptions['replays'] {
  const store = house.get(PARTS.store)
  const queue = house.get(PARTS.replays)
  return {
    start: (job, by) => queue.start(job, by),
    find: (id) => queue.find(id),
    cancel: (id) => queue.cancel(id),
    async enginesOf(rules) {
      const kinds = house.get(PARTS.engines).kinds()
      const named = rules.map(async ({ engine }) => {
        const kind = (await store.engines.byKey(engine))?.kind ?? engine
        return { engine, kind: kinds.find((one) => one.kind === kind) }
      })
      const found = await Promise.all(named)
      return {
        plugins: [...new Set(found.flatMap(({ kind }) => kind?.plugin ?? []))],
        external: found.flatMap(({ engine, kind }) => (kind?.instance ? [engine] : [])),
      }
    },
  }
}

/**
 * Each backtest is a process of its own and not a thread: a process can be put behind all others on the machine, has its
 * own memory and its own bound of it, and can be ended at any moment, whatever a pattern is doing.
 */
function runInProcess(databaseUrl: string, around: Surroundings): RunReplay {
  return (job, onTold) => {
    const child = fork(ENTRY, {
      cwd: around.cwd,
      env: { ...around.env },
      execArgv: [`--max-old-space-size=${MOST_MEMORY}`, '--enable-source-maps'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const kill = () => child.kill('SIGKILL')
    const timers = [setTimeout(kill, job.most.ms + OVERTIME_MS).unref()]
    const ended = new Promise<Told>((resolve, reject) => {
      child.on('message', ({ told, ended: last, failed }: Said) => {
        if (told !== undefined) onTold(told)
        else if (last !== undefined) resolve(last)
        else if (failed !== undefined) reject(asOurs(failed))
      })
      child.once('error', (cause) => reject(new GatehouseError('GH_BACKTEST_FAILED', { cause })))
      child.once('exit', (code, signal) => {
        for (const timer of timers) clearTimeout(timer)
        reject(new GatehouseError('GH_BACKTEST_FAILED', { detail: `it ended with ${signal ?? code}` }))
      })
    })
    const start: ChildStart = { job, databaseUrl }
    child.send({ start }, () => undefined)
    const cancel = () => {
      if (child.connected) child.send({ cancel: true }, () => undefined)
      timers.push(setTimeout(kill, CANCEL_MS).unref())
    }
    return { ended, cancel } satisfies RunningReplay
  }
}

/** What it could not foresee is in its own lines of the log. */
function asOurs({ code, message }: { readonly code: ErrorCode; readonly message: string }): GatehouseError {
  const known = Object.hasOwn(ERRORS, code) && code !== 'GH_INTERNAL' && code !== 'GH_DB_UNAVAILABLE'
  return new GatehouseError(known ? code : 'GH_BACKTEST_FAILED', known ? { message } : {})
}
