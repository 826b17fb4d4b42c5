import type { Command } from 'commander'
import { connect } from './client.js'
import type { Client } from './client.js'
import { columns, CommandError, plain } from './io.js'
import type { Io } from './io.js'
import { moment } from './moment.js'

interface Rule {
  readonly id: string
  readonly name: string
  readonly quarantine: { readonly since: string; readonly reasons: readonly string[] } | null
}
interface Version {
  readonly version: number
  readonly artifact: string | null
  readonly calls: number
  readonly changes: number
  readonly blocks: number
  readonly detections: number
  readonly undecided: number
  readonly strikes: Readonly<Record<string, number>>
  readonly fuel: { readonly mean: number; readonly max: number } | null
  readonly ms: { readonly mean: number; readonly max: number }
}
interface Statistics {
  readonly id: string
  readonly name: string
  readonly versions: readonly Version[]
}
interface Asked {
  readonly gateway: string
  readonly since?: number
  readonly json?: boolean
}

/** How rules do. */
export function addRuleWatchCommands(rules: Command, io: Io): void {
  rules
    .command('stats')
    .description('Show what each version of a rule, or of every rule of a gateway, came to.')
    .argument('[rule]', 'its name or id')
    .requiredOption('--gateway <slug>', 'the gateway')
    .option('--since <when>', 'how far back: 12h, 7d, or a time such as 2030-01-31T12:00:00Z', moment)
    .option('--json', 'print it as JSON')
    .action((rule: string | undefined, asked: Asked) => showStatistics(io, rule, asked))
  rules
    .command('release')
    .description('Take a rule out of quarantine: it is run again.')
    .argument('<rule>', 'its name or id')
    .requiredOption('--gateway <slug>', 'the gateway')
    .option('--json', 'print the rule as JSON')
    .action((rule: string, asked: Asked) => release(io, rule, asked))
}

async function showStatistics(io: Io, wanted: string | undefined, { gateway, since, json }: Asked): Promise<void> {
  const client = await connect(io)
  const all = await rulesOf(client, gateway)
  const query = since === undefined ? {} : { since: new Date(since).toISOString() }
  const shown: (Rule & Statistics)[] = []
  for (const rule of wanted === undefined ? all : [named(all, wanted)])
    shown.push({ ...rule, ...((await client.get(`/rules/${rule.id}/statistics`, query)) as Statistics) })
  if (json) return io.out(`${JSON.stringify(shown.map(statisticsAlone), null, 2)}\n`)
  const rows = shown.flatMap(({ name, versions }) => versions.map((one) => rowOf(name, one)))
  io.out(rows.length === 0 ? 'No message was shown to it in that time.\n' : `${columns([HEAD, ...rows])}\n`)
  for (const { name, quarantine } of shown)
    if (quarantine !== null)
      io.out(`\n${plain(name)} is in quarantine since ${quarantine.since}:\n${reasonsOf(quarantine)}`)
}

const HEAD = 'rule version module calls blocks changes found undecided strikes fuel most ms most'.split(' ')

const statisticsAlone = ({ id, name, quarantine, versions }: Rule & Statistics) => ({ id, name, quarantine, versions })

function rowOf(name: string, one: Version): readonly string[] {
  const { version, artifact, calls, blocks, changes, detections, undecided, strikes, fuel, ms } = one
  const numbers = [calls, blocks, changes, detections, undecided].map(String)
  const fuels = fuel === null ? ['-', '-'] : [String(fuel.mean), String(fuel.max)]
  return [
    plain(name),
    String(version),
    plain(artifact ?? '-'),
    ...numbers,
    strikesOf(strikes),
    ...fuels,
    ms.mean.toFixed(3),
    ms.max.toFixed(3),
  ]
}

function strikesOf(strikes: Version['strikes']): string {
  const kinds = Object.entries(strikes)
  const sum = kinds.reduce((total, [, n]) => total + n, 0)
  return sum === 0 ? '0' : `${sum} (${kinds.map(([kind, n]) => `${plain(kind)} ${n}`).join(', ')})`
}

async function release(io: Io, wanted: string, { gateway, json }: Asked): Promise<void> {
  const client = await connect(io)
  const { id, quarantine } = named(await rulesOf(client, gateway), wanted)
  const rule = (await client.post(`/rules/${id}/release`, {})) as Rule
  if (json) return io.out(`${JSON.stringify(rule, null, 2)}\n`)
  io.out(`${plain(rule.name)} is run again.${quarantine === null ? '' : ' It was in quarantine for:'}\n`)
  if (quarantine !== null) io.out(reasonsOf(quarantine))
}

const reasonsOf = ({ reasons }: NonNullable<Rule['quarantine']>): string =>
  reasons.map((reason) => `  ${plain(reason)}\n`).join('')

async function rulesOf(client: Client, gateway: string): Promise<readonly Rule[]> {
  const { rules } = (await client.get(`/gateways/${encodeURIComponent(gateway)}`)) as {
    readonly rules: readonly Rule[]
  }
  return rules
}

/** Names are unique on a gateway. */
function named(rules: readonly Rule[], wanted: string): Rule {
  const found = rules.find(({ id, name }) => id === wanted || name === wanted)
  if (found !== undefined) return found
  const known = rules.map(({ name }) => plain(name)).join(', ') || 'none'
  throw new CommandError(`No rule of this gateway is called ${wanted}. It has: ${known}.`)
}
