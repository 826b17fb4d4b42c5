import { readFileSync } from 'node:fs'
import { runCommand } from './program.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

/** The command line around the commands: the only file of the CLI that touches `process`. */
export async function main({ start }: { readonly start: () => Promise<unknown> }): Promise<void> {
  const interrupt = new AbortController()
  const onSignal = (): void => interrupt.abort()
  process.once('SIGINT', onSignal)
  // A reader that goes away (`gatehouse logs | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  process.exitCode = await runCommand({
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    version,
    nodeVersion: process.version,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    width: process.stderr.isTTY ? process.stderr.columns || 80 : undefined,
    signal: interrupt.signal,
    // From here on the gateway minds the signals itself.
    start: () => {
      process.off('SIGINT', onSignal)
      return start()
    },
  })
}
