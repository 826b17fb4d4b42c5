import { readFile as readText } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { parse } from 'yaml'
import { readFile } from '../configuration/file.js'
import { collectModules, modulesIn } from '../configuration/module-files.js'
import { collectSecrets } from '../configuration/references.js'
import { connect } from './client.js'
import { CommandError } from './io.js'
import type { Io } from './io.js'

interface Step {
  readonly op: 'create' | 'update' | 'remove'
  readonly noun: string
  readonly key: string
  readonly fields: readonly string[]
  readonly notes?: readonly string[]
}
interface Answer {
  readonly steps: readonly Step[]
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}
interface Options {
  readonly file: string
  readonly prune?: boolean
  readonly json?: boolean
}

const PRUNE = 'remove what an earlier file made and this one does not name'

export function addFileCommands(program: Command, io: Io): void {
  program
    .command('apply')
    .description('Make the gateway be as a YAML file says: all of it, or nothing.')
    .requiredOption('-f, --file <file>', 'the YAML file')
    .option('--prune', PRUNE)
    .option('--json', 'print the changes as JSON')
    .action((options: Options) => run(io, 'apply', options))
  program
    .command('plan')
    .description('Show what apply would change, and change nothing.')
    .requiredOption('-f, --file <file>', 'the YAML file')
    .option('--prune', PRUNE)
    .option('--json', 'print the changes as JSON')
    .action((options: Options) => run(io, 'plan', options))
  program
    .command('export')
    .description('Print what is there as a YAML file, with references in the place of secrets.')
    .option('--json', 'print it as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { text } = (await (await connect(io)).get('/export')) as { readonly text: string }
      io.out(json ? `${JSON.stringify(parse(text), null, 2)}\n` : text)
    })
}

/** Secrets are looked up here, where the operator's environment is, and sent along. */
async function run(io: Io, how: 'apply' | 'plan', { file: path, prune = false, json = false }: Options): Promise<void> {
  const full = resolve(io.cwd, path)
  const text = await readText(full, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path} cannot be read (${error.code}).`)
  })
  const name = basename(full)
  const file = readFile(text, name)
  const modules = await collectModules(file.content, modulesIn(dirname(full))).catch((error: Error) => {
    throw new CommandError(error.message)
  })
  const secrets = await collectSecrets(file, {
    env: io.env,
    readFile: (secret) => readText(resolve(dirname(full), secret), 'utf8'),
  })
  const client = await connect(io)
  const answer = (await client.post(`/${how}`, { text, name, secrets, modules, prune })) as Answer
  io.out(json ? `${JSON.stringify(answer, null, 2)}\n` : describe(answer, how))
  if (!json) for (const note of answer.notes) io.err(`Note: ${note}\n`)
  if (!json) for (const warning of answer.warnings) io.err(`Warning: ${warning}\n`)
}

const SIGNS = { create: '+', update: '~', remove: '-' } as const

function describe({ steps }: Answer, how: 'apply' | 'plan'): string {
  if (steps.length === 0) return 'Nothing to change.\n'
  const lines = steps.map(({ op, noun, key, fields, notes = [] }) => {
    const what = noun === key ? noun : `${noun} ${key}`
    return [
      `${SIGNS[op]} ${what}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`,
      ...notes.map((note) => `    ${note}`),
    ].join('\n')
  })
  const count = `${steps.length} ${steps.length === 1 ? 'change' : 'changes'}`
  return `${lines.join('\n')}\n${how === 'apply' ? `${count} made.` : `${count} to make; nothing was changed.`}\n`
}
