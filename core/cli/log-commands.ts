import { setTimeout as pause } from 'node:timers/promises'
import type { LogRow } from '@gatehouse/sdk'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { messageOf } from '../domain/record.js'
import { connect } from './client.js'
import type { Client } from './client.js'
import { plain } from './io.js'
import type { Io } from './io.js'

interface Options {
  readonly correlation?: string
  readonly limit: string
  readonly failed?: boolean
  readonly follow?: boolean
  readonly json?: boolean
}

const POLL_MS = 1_000

export function addLogCommands(program: Command, io: Io): void {
  program
    .command('logs')
    .description('Read the record: one line for each leg of each message, oldest first.')
    .option('--correlation <id>', 'the legs of one message, and of all that belongs to it', uuid)
    .option('--limit <n>', 'how many messages to go back', count, '50')
    .option('--failed', 'only what failed, was blocked or refused')
    .option('--follow', 'go on with what comes in, until interrupted')
    .option('--json', 'print a JSON object a line, with the names of the log')
    .action(async (options: Options) => {
      const client = await connect(io)
      const print = (rows: readonly LogRow[]) => {
        for (const row of rows) io.out(`${options.json ? JSON.stringify(row) : describe(row)}\n`)
      }
      // Before the first page, so that nothing falls between the two.
      const start = options.follow ? await ask(client, '/logs/follow', {}) : null
      const { items } = await ask(client, '/logs', { ...filterOf(options), limit: options.limit })
      print(inOrder(items))
      if (start) await follow(io, client, { print, seen: new Set(items.map(idOf)), options, cursor: start.cursor })
    })
}

async function follow(
  io: Io,
  client: Client,
  state: {
    print: (rows: readonly LogRow[]) => void
    seen: ReadonlySet<string>
    options: Options
    cursor: string | undefined
  },
): Promise<void> {
  const { print, seen, options } = state
  let { cursor } = state
  try {
    while (!io.signal.aborted) {
      const page = await ask(client, '/logs/follow', { ...filterOf(options), cursor })
      print(page.items.filter((row) => !seen.has(idOf(row))))
      if (page.cursor === cursor || page.items.length === 0) await pause(POLL_MS, undefined, { signal: io.signal })
      cursor = page.cursor
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
}

const idOf = (row: LogRow): string => row.log_id

const filterOf = ({ correlation, failed }: Options) => ({
  correlationId: correlation,
  failed: failed ? 'true' : undefined,
})

const ask = (client: Client, path: string, query: Readonly<Record<string, string | undefined>>) =>
  client.get(path, query) as Promise<{ readonly items: readonly LogRow[]; readonly cursor?: string }>

/** Pages come newest message first, each message with its legs in order. */
function inOrder(rows: readonly LogRow[]): LogRow[] {
  const messages = new Map<string, LogRow[]>()
  for (const row of rows) messages.set(messageOf(row), [...(messages.get(messageOf(row)) ?? []), row])
  return [...messages.values()].toReversed().flat()
}

function describe(row: LogRow): string {
  const about = [
    row.log_type,
    row.method,
    row.feature_name,
    row.inbound_server_name && `server=${row.inbound_server_name}`,
    row.user_email ?? row.host_name,
    row.duration_ms !== null && row.duration_ms !== undefined && `${Math.round(row.duration_ms)}ms`,
    row.policy_name && `rule=${row.policy_name}`,
    ...fellOpen(row).map((name) => `unchecked=${name}`),
    row.error,
    row.correlation_id,
  ]
  return plain([row.created_at, ...about.filter(Boolean)].join('  '))
}

/** Rules that could not decide and let it pass, as they were told to. */
const fellOpen = ({ receipts }: LogRow): readonly string[] =>
  receipts.flatMap((one) => (one.fell === 'open' ? [one.rule_name] : []))

function uuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text
  throw new InvalidArgumentError('It must be a correlation id.')
}

function count(text: string): string {
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 500) return text
  throw new InvalidArgumentError('It must be a number from 1 to 500.')
}
