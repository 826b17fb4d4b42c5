import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { connect } from './client.js'
import type { Client } from './client.js'
import { plain } from './io.js'
import type { Io } from './io.js'

interface Row {
  readonly id: string
  readonly type: string
  readonly severity: string
  readonly message: string
  readonly state: string
  readonly count: number
  readonly lastAt: string
  readonly gateway: { readonly slug: string | null } | null
  readonly server: { readonly slug: string | null } | null
  readonly rule: { readonly name: string | null } | null
  readonly user: { readonly email: string | null } | null
}
interface ListOptions {
  readonly state?: string
  readonly severity?: string
  readonly type?: string
  readonly gateway?: string
  readonly server?: string
  readonly limit: string
  readonly follow?: boolean
  readonly json?: boolean
}

const POLL_MS = 1_000

export function addAlertCommands(program: Command, io: Io): void {
  const alerts = program.command('alerts').description('Read the feed of alerts, and say what was seen or is over.')
  alerts
    .command('list', { isDefault: true })
    .description('One line for each alert, the last repeated last. `gatehouse alerts` alone does the same.')
    .option('--state <states>', 'open, acknowledged, resolved, or several with commas', 'open,acknowledged')
    .option('--severity <severities>', 'info, warning, error, or several with commas')
    .option('--type <types>', 'such as server_unreachable, or several with commas')
    .option('--gateway <name>', 'only of this gateway')
    .option('--server <name>', 'only of this server')
    .option('--limit <n>', 'how many to go back', count, '50')
    .option('--follow', 'go on with what is raised, repeated or changed, until interrupted')
    .option('--json', 'print a JSON object a line')
    .action((options: ListOptions) => list(io, options))
  for (const [name, verb, says] of VERBS)
    alerts
      .command(name)
      .argument('<id...>', 'ids of alerts')
      .description(says)
      .option('--note <text>', 'why, for whoever reads it later')
      .option('--json', 'print a JSON object a line')
      .action(async (ids: readonly string[], { note, json }: { note?: string; json?: boolean }) => {
        const client = await connect(io)
        for (const id of ids) {
          const alert = (await client.post(`/alerts/${encodeURIComponent(id)}/${verb}`, note ? { note } : {})) as Row
          io.out(`${json ? JSON.stringify(alert) : describe(alert)}\n`)
        }
      })
}

const VERBS = [
  ['ack', 'acknowledge', 'Say that somebody has seen it: it tells nobody of its repeats any more.'],
  ['resolve', 'resolve', 'Say that it is over: the next time it is a new alert.'],
  ['reopen', 'reopen', 'Say that it is not over after all.'],
] as const

async function list(io: Io, options: ListOptions): Promise<void> {
  const client = await connect(io)
  const { state, severity, type, gateway, server } = options
  const filter = { state, severity, type, gateway, server }
  const print = (rows: readonly Row[]) => {
    for (const row of rows) io.out(`${options.json ? JSON.stringify(row) : describe(row)}\n`)
  }
  // Before the first page, so that nothing falls between the two.
  const start = options.follow ? await ask(client, '/alerts/follow', {}) : null
  const { items } = await ask(client, '/alerts', { ...filter, limit: options.limit })
  print(items.toReversed())
  if (items.length === 0) io.err(`No such alert is ${state?.replaceAll(',', ' or ') ?? 'there'}.\n`)
  if (start !== null) await follow(io, client, { print, filter, cursor: start.cursor })
}

interface Following {
  readonly print: (rows: readonly Row[]) => void
  readonly filter: Readonly<Record<string, string | undefined>>
  readonly cursor: string | undefined
}

async function follow(io: Io, client: Client, { print, filter, cursor: first }: Following): Promise<void> {
  let cursor = first
  try {
    while (!io.signal.aborted) {
      const page = await ask(client, '/alerts/follow', { ...filter, cursor })
      print(page.items)
      if (page.items.length === 0) await pause(POLL_MS, undefined, { signal: io.signal })
      cursor = page.cursor
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
}

const ask = (client: Client, path: string, query: Readonly<Record<string, string | undefined>>) =>
  client.get(path, query) as Promise<{ readonly items: readonly Row[]; readonly cursor?: string }>

function describe(row: Row): string {
  const { gateway, server, rule, user } = row
  const about = [
    gateway?.slug && `gateway=${gateway.slug}`,
    server?.slug && `server=${server.slug}`,
    rule?.name && `rule=${rule.name}`,
    user?.email,
    row.count > 1 && `${row.count} times`,
  ]
  const head = [row.lastAt, row.severity, row.state, row.type, row.message]
  return plain([...head, ...about.filter(Boolean), row.id].join('  '))
}

function count(text: string): string {
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 500) return text
  throw new InvalidArgumentError('It must be a number from 1 to 500.')
}
