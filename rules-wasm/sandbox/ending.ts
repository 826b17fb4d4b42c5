import { Script } from 'node:vm'
import { notRun } from './not-run.js'
import type { OpenRule, Ran, RunRequest } from './types.js'

/** A rule that is made ready beforehand: its `run` comes to its end before anything else happens. */
export interface ReadyRule extends OpenRule {
  /** After what went wrong it takes a fresh instance. */
  prepare(): Promise<unknown>
}

/**
 * A rule whose runs can be ended from within (`mostMs`). Whatever it was at is thrown away with it, the host's own state for it too, and it is
 * opened anew.
 */
export async function openEnding(open: () => Promise<ReadyRule>): Promise<OpenRule> {
  /** Null behind one that was ended: the next run opens it anew. */
  let rule: ReadyRule | null = await open()

  async function runOrEnd(request: RunRequest, mostMs: number): Promise<Ran> {
    const ready = (rule ??= await open())
    await ready.prepare()
    const running = within(mostMs, () => ready.run(request))
    if (running !== null) return running
    ready.close()
    rule = null
    return notRun({ kind: 'late', message: `the rule was ended: it took longer than ${mostMs} ms` })
  }

  return {
    run: (request) =>
      rule === null || request.mostMs !== undefined
        ? runOrEnd(request, request.mostMs ?? LONGEST_MS)
        : rule.run(request),
    close: () => rule?.close(),
  }
}

/** Of a rule that only has to be opened anew; whoever gave it to the thread ends that one long before. */
const LONGEST_MS = 60_000

/** Where the script finds what it is to run. */
const TURN = Symbol.for('gatehouse.turn')
const turn = globalThis as typeof globalThis & { [TURN]?: (() => unknown) | undefined }
let script: Script | undefined

/** Null when it was ended. A thread of its own watches the time, which costs a quarter of a millisecond. */
function within<T>(ms: number, run: () => T): T | null {
  script ??= new Script("globalThis[Symbol.for('gatehouse.turn')]()")
  turn[TURN] = run
  try {
    return script.runInThisContext({ timeout: Math.ceil(ms) }) as T
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null
    throw thrown
  } finally {
    turn[TURN] = undefined
  }
}
