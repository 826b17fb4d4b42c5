import { pino } from 'pino'
import { compose, type Gatehouse } from './compose.js'
import { readConfig } from './config.js'
import { asGatehouseError } from './errors.js'

/** Environment -> compose -> listen -> signals. The only file of core that touches `process`. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: false }))
  let running: Gatehouse | undefined
  let stopping = false
  const stop = (signal: string) => {
    // A second signal means now.
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'stopping')
    void (running?.stop() ?? Promise.resolve()).then(
      () => process.exit(0),
      (thrown: unknown) => {
        log.fatal({ err: thrown }, 'could not stop cleanly')
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('unhandledRejection', (thrown) => log.error({ err: thrown }, 'a rejection that nobody awaited'))
  running = await compose(config, { env: process.env, cwd: process.cwd(), log })
  if (stopping) return
  process.stdout.write(`${running.banner}\n`)
}

main().catch((thrown: unknown) => {
  const error = asGatehouseError(thrown)
  const cause = error.code === 'GH_INTERNAL' ? String((error.cause as Error | undefined)?.stack ?? error.cause) : ''
  process.stderr.write(`Gatehouse cannot start: ${error.message}\n${error.detail ? `${error.detail}\n` : ''}${cause}\n`)
  process.exit(1)
})
