import type { Command } from 'commander'
import { connect } from './client.js'
import { CommandError } from './io.js'
import type { Io } from './io.js'

interface Options {
  readonly gateway: string
  readonly host: string
  readonly user?: string
  readonly label?: string
  readonly expires?: string
  readonly json?: boolean
}

export function addTokenCommands(program: Command, io: Io): void {
  const token = program.command('token').description('Tokens for agents.')
  token
    .command('create')
    .description('Make a token for an agent at a gateway; a missing token host is made, too. It is shown this once.')
    .requiredOption('--gateway <slug>', 'the gateway it opens')
    .requiredOption('--host <slug>', 'the agent it is for')
    .option('--user <email>', 'the person behind it; yourself unless given')
    .option('--label <text>', 'what it is called in lists')
    .option('--expires <time>', 'when it ends, e.g. 2030-01-31T12:00:00Z; never unless given')
    .option('--json', 'print it as JSON')
    .action(async ({ gateway, host, user, label, expires: expiresAt, json }: Options) => {
      const client = await connect(io)
      const made = (await client.post('/tokens', { kind: 'access', gateway, host, user, label, expiresAt })) as {
        readonly secret: string
        readonly url: string
      }
      if (json) return io.out(`${JSON.stringify(made, null, 2)}\n`)
      io.out(`URL:    ${made.url}\nToken:  ${made.secret}\n`)
      io.err('Keep it now: it is not shown again.\n')
    })
}

export function addKeyCommands(program: Command, io: Io): void {
  const keys = program.command('keys').description('Master keys.')
  keys
    .command('rotate')
    .description('Seal every stored secret anew with the newest master key.')
    .option('--json', 'print the counts as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const client = await connect(io)
      const counts = (await client.post('/keys/rotate')) as Readonly<
        Record<'seen' | 'rotated' | 'current' | 'changed' | 'failed', number>
      >
      if (json) io.out(`${JSON.stringify(counts, null, 2)}\n`)
      else io.out(`${counts.rotated} of ${counts.seen} secrets sealed anew, ${counts.current} were up to date.\n`)
      if (counts.failed > 0)
        throw new CommandError(`${counts.failed} secrets do not open with any of the master keys; keep the old keys.`)
    })
}
