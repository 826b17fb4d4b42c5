import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { pino } from 'pino'
import { type ChildStart, runChild } from './composition/backtest-child.js'
import { asGatehouseError } from './errors.js'

/** Behind everything else on the machine. On Linux each thread has its own priority; new ones take that of their maker. */
function stepBack(): void {
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [0]
  for (const thread of threads) {
    try {
      setPriority(thread, 19)
    } catch {
      // A thread that has just ended.
    }
  }
}

/**
 * The process of one backtest: told what to do by the gateway that began it, and gone with it. With `core/main.ts` and the
 * command line the only file of core that touches `process`.
 */
function main(): void {
  stepBack()
  const cancelled = new AbortController()
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'info', base: null }, pino.destination({ dest: 2, sync: true }))
  const tell = (message: object, then?: () => void) => void process.send?.(message, () => then?.())
  process.on('disconnect', () => process.exit(1))
  // The terminal sends Ctrl-C to all its processes; the gateway ends this one in order.
  process.on('SIGINT', () => undefined)
  process.on('message', (message: { readonly start?: ChildStart }) => {
    if (message.start === undefined) return cancelled.abort()
    const line = { signal: cancelled.signal, tell: (told: object) => tell({ told }) }
    runChild(message.start, { env: process.env, cwd: process.cwd(), log }, line).then(
      (ended) => tell({ ended }, () => process.exit(0)),
      (thrown: unknown) => {
        const { code, message: words, detail, cause } = asGatehouseError(thrown)
        log.error({ code, detail, err: cause }, 'a backtest broke')
        tell({ failed: { code, message: words } }, () => process.exit(1))
      },
    )
  })
}

main()
