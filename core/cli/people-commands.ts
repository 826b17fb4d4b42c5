import type { Command } from 'commander'
import { connect } from './client.js'
import type { Io } from './io.js'

export function addPeopleCommands(program: Command, io: Io): void {
  program
    .command('setup-link')
    .description('Make a link with which one person comes in as a super admin; those before it end.')
    .option('--json', 'print it as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const client = await connect(io)
      const made = (await client.post('/setup-links')) as { readonly url: string }
      if (json) return io.out(`${JSON.stringify(made, null, 2)}\n`)
      io.out(`${made.url}\n`)
      io.err('Open it in a browser within a day. It is good once, and whoever has it may do everything.\n')
    })
}
