import type { Era } from '@gatehouse/sdk'
import { startChild } from './child.js'
import type { Child } from './child.js'
import { makeChildEnv } from './child-env.js'
import { fault } from './faults.js'
import { createGuard } from './guard.js'
import type { Peer, PeerContext, Timing, UpstreamLimits } from './options.js'
import { openStdioLine, openStdioPeer, probeStdio } from './stdio.js'
import type { StartChild } from './stdio.js'

export interface StdioDialler {
  dial(context: PeerContext, era: Era | null): Promise<Peer>
  /** Ends the children of a server, those too that are only being dialled. */
  forget(serverId: string): Promise<void>
  /** Whether no other process may be started now. */
  isFull(limits: Pick<UpstreamLimits, 'stdioProcesses'>): boolean
  stop(): Promise<void>
}

/** Starts the servers that are commands: one process for each dial, none that outlives us, no more than the limit. */
export function createStdioDialler(base: Readonly<Record<string, string | undefined>> | null): StdioDialler {
  const children = new Map<Child, string>()
  const crashes = createCrashes()
  const guard = createGuard(base?.['PATH'])
  let stopped = false

  async function dial(context: PeerContext, era: Era | null): Promise<Peer> {
    const { server, key } = context.of.target
    if (!base) throw fault('GH_UPSTREAM_UNREACHABLE', server.slug, 'is a command, and commands are not run here')
    const name = `${server.id} ${key}`
    await crashes.patience(name, context.timing)
    const env = makeChildEnv(base, (await context.of.target.secrets()).env)
    if (stopped) throw fault('GH_UPSTREAM_UNREACHABLE', server.slug, 'is not started any more: the gateway stops')
    return open(context, era ?? (await findEra(context, env)), env, name)
  }

  /** In a process that is thrown away: some servers end, or stay broken, after a request that they do not know. */
  async function findEra(context: PeerContext, env: Record<string, string>): Promise<Era> {
    const quiet = { ...context, events: { ...context.events, gone() {} } }
    const line = openStdioLine(quiet, starter(context, env))
    try {
      return (await probeStdio(quiet, line)) === 'not modern' ? 'legacy' : 'modern'
    } finally {
      await line.child.stop(true)
    }
  }

  async function open(context: PeerContext, era: Era, env: Record<string, string>, name: string): Promise<Peer> {
    const started = Date.now()
    const events = {
      ...context.events,
      gone() {
        crashes.count(name, Date.now() - started, context.timing)
        context.events.gone()
      },
    }
    const line = openStdioLine({ ...context, events }, starter(context, env))
    try {
      return await openStdioPeer({ ...context, events }, line, era)
    } catch (error) {
      await line.child.stop(true)
      throw error
    }
  }

  function starter(context: PeerContext, env: Record<string, string>): StartChild {
    const { slug, timing, log, limits } = context
    const { id, command, cwd } = context.of.target.server
    const { stdioProcesses, upstreamEvent } = limits()
    if (children.size >= stdioProcesses)
      throw fault(
        'GH_UPSTREAM_UNREACHABLE',
        slug,
        `cannot be started: ${stdioProcesses} processes run, which is the limit`,
        {
          retryable: true,
        },
      )
    return (hear) => {
      const rest = { slug, timing, log, guard, env, cwd, lineLimit: upstreamEvent }
      const child: Child = startChild({
        ...rest,
        command: command ?? [],
        ...hear,
        onGone: () => children.delete(child),
      })
      children.set(child, id)
      return child
    }
  }

  async function stopAll(which: (serverId: string) => boolean): Promise<void> {
    const ending = [...children].filter(([, serverId]) => which(serverId))
    await Promise.all(ending.map(([child]) => child.stop()))
  }

  return {
    dial,
    isFull: ({ stdioProcesses }) => children.size >= stdioProcesses,
    forget: (serverId) => stopAll((id) => id === serverId),
    async stop() {
      stopped = true
      await stopAll(() => true)
      guard.stop()
    },
  }
}

/** How often a command crashed of late, and how long to wait before it is started again. */
function createCrashes() {
  const known = new Map<string, { times: number; at: number }>()
  return {
    count(name: string, livedMs: number, { restartMost }: Timing): void {
      const times = livedMs > restartMost ? 0 : (known.get(name)?.times ?? 0)
      known.set(name, { times: times + 1, at: Date.now() })
    },
    async patience(name: string, { restart, restartMost }: Timing): Promise<void> {
      const crash = known.get(name)
      if (!crash) return
      const left = crash.at + Math.min(restartMost, restart * 2 ** (crash.times - 1)) - Date.now()
      if (left > 0) await new Promise((resolve) => setTimeout(resolve, left).unref())
    },
  }
}
