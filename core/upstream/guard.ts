import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

/**
 * Sees to it that no child outlives the gateway. Each child leads a process group; the guard, a small shell in a group of
 * its own, knows them all and reads from a pipe. When the gateway is gone, however it went, the pipe ends and the guard
 * ends every group that it still holds. It is also who sends signals, since only it reaches a whole group.
 */
export interface Guard {
  /** Fulfilled when the guard will know of the group even if the gateway dies the next moment. */
  hold(group: number): Promise<void>
  signal(group: number, signal: 'TERM' | 'KILL'): void
  /** The leader has ended: what is left of its group is killed and forgotten. */
  drop(group: number): void
  stop(): void
}

const SCRIPT = `
trap '' TERM INT HUP
held=' '
while read -r verb group; do
  case $verb in
    hold) held="$held$group " ;;
    drop) kill -s KILL -- "-$group"; held="\${held%% $group *} \${held#* $group }" ;;
    *) kill -s "$verb" -- "-$group" ;;
  esac
done
for group in $held; do kill -s TERM -- "-$group"; done
[ -z "\${held# }" ] || sleep 1
for group in $held; do kill -s KILL -- "-$group"; done
`

export function createGuard(path: string | undefined): Guard {
  const held = new Set<number>()
  let shell: ChildProcess | null = null
  let stopped = false

  function start(): ChildProcess {
    const env = { PATH: path ?? '/usr/bin:/bin' }
    const child = spawn('/bin/sh', ['-c', SCRIPT], {
      detached: true,
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
    })
    // Neither the shell nor its pipe keeps the gateway from ending.
    child.unref()
    if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
    child.stdin?.on('error', () => undefined)
    child.on('error', () => onEnd(child))
    child.on('exit', () => onEnd(child))
    return child
  }

  /** Somebody ended the guard: another one takes over what it held. */
  function onEnd(child: ChildProcess): void {
    if (shell !== child) return
    shell = null
    if (!stopped) for (const group of held) write(`hold ${group}`)
  }

  function write(line: string, done?: () => void): void {
    shell ??= start()
    shell.stdin?.write(`${line}\n`, () => done?.())
  }

  return {
    hold(group) {
      held.add(group)
      return new Promise((resolve) => write(`hold ${group}`, resolve))
    },
    signal: (group, signal) => write(`${signal} ${group}`),
    drop(group) {
      if (held.delete(group)) write(`drop ${group}`)
    },
    stop() {
      stopped = true
      shell?.stdin?.end()
      shell = null
    },
  }
}
