import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { GatehouseError } from '../errors.js'
import { fault } from './faults.js'
import type { Guard } from './guard.js'
import { createLineSplitter } from './lines.js'
import type { Timing, UpstreamLog } from './options.js'
import { writeJson } from '../mcp/json.js'

export interface ChildOptions {
  readonly slug: string
  readonly command: readonly string[]
  readonly cwd: string | null
  readonly env: Record<string, string>
  readonly lineLimit: number
  readonly guard: Guard
  readonly timing: Timing
  readonly log: UpstreamLog
  readonly onLine: (line: string, bytes: number) => void
  /** The process ended by itself, and all it wrote was told. */
  readonly onEnd: (why: GatehouseError) => void
  /** The process is gone, whoever ended it. */
  readonly onGone: () => void
}

export interface Child {
  /** Fulfilled with the first byte on stdout or stderr. */
  readonly firstOutput: Promise<void>
  /** True while more than `lineLimit` bytes wait to be read by it: what a server leaves unread must not fill our memory. */
  readonly isStuffed: boolean
  /** Writes one line; gives its bytes. Dropped when stuffed, and when nothing can be written any more (`onEnd` follows). */
  send(message: object): number
  /** Ends stdin, then asks by SIGTERM, then kills, the whole group each time. `hurry` asks at once. */
  stop(hurry?: boolean): Promise<void>
}

/** Waits for the guard's word before it becomes the command, so that no moment is left in which it could be orphaned. */
const LAUNCH = 'read -r go <&3 || exit 0; exec 3<&-; exec "$@"'
const STDERR_RING = 64 * 1024
const LAST_WORDS = 2_048

export function startChild(options: ChildOptions): Child {
  const { slug, command, cwd, env, guard, timing, log } = options
  const child = spawn('/bin/sh', ['-c', LAUNCH, 'sh', ...command], {
    detached: true,
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    ...(cwd === null ? {} : { cwd }),
  })
  let stderr = ''
  let why: GatehouseError | null = null
  let stopping = false
  let ended = () => {}
  const end = new Promise<void>((resolve) => (ended = resolve))
  let speak = () => {}
  const firstOutput = new Promise<void>((resolve) => (speak = resolve))

  function onClose(how: string): void {
    ended()
    options.onGone()
    if (stopping) return
    stopping = true
    const detail = stderr.slice(-LAST_WORDS).trim()
    options.onEnd(why ?? fault('GH_UPSTREAM_UNREACHABLE', slug, `ended (${how})`, detail === '' ? {} : { detail }))
  }

  const splitter = createLineSplitter({
    limit: options.lineLimit,
    onLine: options.onLine,
    onOverflow() {
      why = fault('GH_UPSTREAM_TOO_LARGE', slug, `wrote a line of more than ${options.lineLimit} bytes`)
      if (child.pid !== undefined) guard.signal(child.pid, 'KILL')
    },
  })
  child.stdout?.on('data', (chunk: Buffer) => (speak(), splitter.push(chunk)))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    speak()
    stderr = (stderr + text).slice(-STDERR_RING)
    log.debug({ server: slug, stderr: text.slice(0, 4_096) }, 'a server wrote to stderr')
  })
  child.stdin?.on('error', () => undefined)
  watchEnd(child, guard, onClose)
  void release(child, guard)

  const isStuffed = () => (child.stdin?.writableLength ?? 0) > options.lineLimit
  return {
    firstOutput,
    get isStuffed() {
      return isStuffed()
    },
    send(message) {
      const line = `${writeJson(message)}\n`
      if (child.stdin?.writable && !isStuffed()) child.stdin.write(line)
      return Buffer.byteLength(line)
    },
    async stop(hurry = false) {
      stopping = true
      const { pid } = child
      if (pid === undefined) return
      child.stdin?.end()
      const term = setTimeout(() => guard.signal(pid, 'TERM'), hurry ? 0 : timing.terminate)
      const kill = setTimeout(() => guard.signal(pid, 'KILL'), hurry ? 1_000 : timing.terminate + timing.kill)
      await end
      clearTimeout(term)
      clearTimeout(kill)
    },
  }
}

async function release(child: ChildProcess, guard: Guard): Promise<void> {
  const go = child.stdio[3] as Writable | null
  go?.on('error', () => undefined)
  if (child.pid === undefined) return
  await guard.hold(child.pid)
  go?.end('go\n')
}

/** Tells the end once: when the output was read to its end, or a second after the process when something keeps it open. */
function watchEnd(child: ChildProcess, guard: Guard, onClose: (how: string) => void): void {
  let told = false
  const tell = (how: string) => {
    if (told) return
    told = true
    for (const stream of child.stdio) stream?.destroy()
    onClose(how)
  }
  child.on('error', (error) => tell('code' in error ? String(error.code) : 'it could not be started'))
  child.on('exit', (code, signal) => {
    const how = signal ?? `exit code ${code}`
    if (child.pid !== undefined) guard.drop(child.pid)
    const late = setTimeout(() => tell(how), 1_000)
    child.on('close', () => (clearTimeout(late), tell(how)))
  })
}
