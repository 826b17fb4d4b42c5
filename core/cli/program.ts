import { Command, CommanderError } from 'commander'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { addAlertCommands } from './alert-commands.js'
import { addDoctorCommand } from './doctor.js'
import { addFeatureCommands } from './feature-commands.js'
import { addFileCommands } from './file-commands.js'
import { CommandError } from './io.js'
import type { Io } from './io.js'
import { addLogCommands } from './log-commands.js'
import { addPeopleCommands } from './people-commands.js'
import { addRuleCommands } from './rule-commands.js'
import { addKeyCommands, addTokenCommands } from './token-commands.js'

/** Runs one command. Answers the exit code: 0 done, 1 failed, 2 used wrongly. */
export async function runCommand(io: Io): Promise<number> {
  const program = createProgram(io)
  try {
    await program.parseAsync([...io.argv], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    io.err(`${describe(error)}\n`)
    return 1
  }
}

export function createProgram(io: Io): Command {
  const program = new Command('gatehouse')
    .description('Runs and governs a Gatehouse gateway.')
    .version(io.version)
    .showHelpAfterError('(add --help for more)')
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride()
  program
    .command('start')
    .description('Start the gateway in this terminal. It is set up by environment variables.')
    .action(async () => void (await io.start()))
  addFileCommands(program, io)
  addTokenCommands(program, io)
  addPeopleCommands(program, io)
  addFeatureCommands(program, io)
  addLogCommands(program, io)
  addAlertCommands(program, io)
  addRuleCommands(program, io)
  addKeyCommands(program, io)
  addDoctorCommand(program, io)
  return program
}

function describe(error: unknown): string {
  if (error instanceof CommandError || error instanceof GatehouseError) return error.message
  const { message, detail } = asGatehouseError(error)
  return detail ?? (error instanceof Error ? error.message : message)
}
