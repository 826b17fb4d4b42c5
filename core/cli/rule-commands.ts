import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { parse } from 'yaml'
import { connect } from './client.js'
import type { Client } from './client.js'
import { CommandError } from './io.js'
import type { Io } from './io.js'
import { addModuleCommands } from './module-commands.js'
import { replayReceipt } from './receipt-replay.js'
import { moment } from './moment.js'
import { createProgress } from './replay-progress.js'
import { type Replay, writeReplay } from './replay-report.js'
import { addRuleWatchCommands } from './rule-watch-commands.js'
import { addRuleKitCommands } from './rule-kit.js'

interface Asked {
  readonly receipt?: string
  readonly rule?: string
  readonly since?: number
  readonly until?: number
  readonly gateway?: string
  readonly max?: number
  readonly json?: boolean
  readonly allowExternal?: boolean
}

/** Of a backtest. */
interface Options extends Asked {
  readonly rule: string
  readonly since: number
}

const POLL_MS = 500

export function addRuleCommands(program: Command, io: Io): void {
  const rules = program.command('rules').description('Work on rules.')
  addRuleWatchCommands(rules, io)
  addRuleKitCommands(rules, io)
  rules
    .command('replay')
    .description(
      'Run a new or changed rule over stored messages, and tell what it would have done; or the verdict of a receipt again, and tell whether it is the same. Nothing is changed.',
    )
    .addOption(receiptOption())
    .option('--rule <file>', 'YAML or JSON of one rule, or of a list of them')
    .option('--since <when>', 'how far back: 12h, 7d, or a time such as 2030-01-31T12:00:00Z', moment)
    .option('--until <when>', 'where to end, said like --since; now, unless told', moment)
    .option('--gateway <name>', 'whose messages; may be left out when there is one gateway alone')
    .option('--max <n>', 'read at most so many messages', count)
    .option('--allow-external', 'let engines send stored messages to services outside')
    .option('--json', 'print the report as JSON')
    .action((options: Asked, command: Command) => replayEither(io, options, command))
  addModuleCommands(rules, io)
}

const NOT_WITH_RECEIPT = ['rule', 'since', 'until', 'gateway', 'max']
const receiptOption = () =>
  new Option('--receipt <id>', 'a receipt_id of gatehouse logs --json, instead of --rule').conflicts(NOT_WITH_RECEIPT)

async function replayEither(io: Io, options: Asked, command: Command): Promise<void> {
  const { receipt, rule, since } = options
  if (receipt !== undefined) return replayReceipt(io, { ...options, receipt })
  if (rule !== undefined && since !== undefined) return replay(io, { ...options, rule, since })
  command.error('error: say --rule and --since for a backtest, or --receipt for the verdict of one receipt')
}

async function replay(io: Io, options: Options): Promise<void> {
  const rules = await readRules(io, options.rule)
  const client = await connect(io)
  const { id } = await start(client, rules, options)
  const ended = await follow(io, client, id)
  io.out(options.json ? `${JSON.stringify(ended, null, 2)}\n` : writeReplay(ended))
  if (ended.state !== 'failed') return
  throw new CommandError(`The backtest failed. ${ended.reason ?? 'The log of the gateway has the cause.'}`)
}

async function readRules(io: Io, path: string): Promise<readonly unknown[]> {
  const text = await readFile(resolve(io.cwd, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path} cannot be read (${error.code}).`)
  })
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new CommandError(`${path} is neither YAML nor JSON: ${(error as Error).message}`)
  }
  const rules: unknown[] = Array.isArray(value) ? value : [value]
  if (rules.length > 0 && rules.every((rule) => typeof rule === 'object' && rule !== null && !Array.isArray(rule)))
    return rules
  throw new CommandError(`${path} must hold one rule, or a list of rules, as they stand under rules: of a gateway.`)
}

async function start(client: Client, rules: readonly unknown[], options: Options): Promise<{ readonly id: string }> {
  const { since, until, max, allowExternal } = options
  const body = {
    gateway: options.gateway ?? (await onlyGateway(client)),
    rules,
    since: new Date(since).toISOString(),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    ...(max === undefined ? {} : { max }),
    ...(allowExternal === undefined ? {} : { allowExternal }),
  }
  return client.post('/rules/replay', body).catch((error: unknown) => {
    if (error instanceof CommandError && error.message.startsWith('allowExternal: '))
      throw new CommandError(`${error.message.replace('allowExternal: ', '')}\nIf it is: --allow-external`)
    throw error
  }) as Promise<{ readonly id: string }>
}

async function onlyGateway(client: Client): Promise<string> {
  const { items } = (await client.get('/gateways')) as { readonly items: readonly { readonly slug: string }[] }
  const [first, ...others] = items
  if (first === undefined) throw new CommandError('There is no gateway yet that you may see.')
  if (others.length === 0) return first.slug
  throw new CommandError(`Say which gateway with --gateway: ${items.map(({ slug }) => slug).join(', ')}`)
}

async function follow(io: Io, client: Client, id: string): Promise<Replay> {
  const progress = createProgress(io)
  try {
    for (;;) {
      const replay = (await client.get(`/rules/replays/${id}`)) as Replay
      if (['done', 'cancelled', 'failed'].includes(replay.state)) return replay
      progress.show(replay)
      await pause(POLL_MS, undefined, { signal: io.signal })
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
    progress.end()
    await client.delete(`/rules/replays/${id}`)
    throw new CommandError('Cancelled, at the gateway too. Nothing was changed.')
  } finally {
    progress.end()
  }
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number from 1 on.')
}
