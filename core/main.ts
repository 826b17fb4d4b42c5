import { setFlagsFromString } from 'node:v8'
import { pino } from 'pino'
import { compose } from './compose.js'
import { readConfig } from './config.js'
import { asGatehouseError } from './errors.js'

// Calls under way outlive a young generation of one megabyte, and are copied at each of its collections: a larger one
// costs some memory and saves a tenth of the time of a call.
setFlagsFromString('--min-semi-space-size=16')
setFlagsFromString('--semi-space-growth-factor=16')

/** Environment -> compose -> listen -> signals. The only file of core that touches `process`. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: false }))
  const starting = compose(config, { env: process.env, cwd: process.cwd(), log })
  let stopping = false
  const stop = (signal: string) => {
    // A second signal means now.
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'stopping')
    void starting
      .then((running) => running.stop())
      .then(
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
  const { banner } = await starting
  if (!stopping) process.stdout.write(`${banner}\n`)
}

main().catch((thrown: unknown) => {
  const error = asGatehouseError(thrown)
  const cause = error.code === 'GH_INTERNAL' ? String((error.cause as Error | undefined)?.stack ?? error.cause) : ''
  process.stderr.write(`Gatehouse cannot start: ${error.message}\n${error.detail ? `${error.detail}\n` : ''}${cause}\n`)
  process.exit(1)
})
