import type { Command } from 'commander'
import { connect, type Client } from './client.js'
import { columns, CommandError, plain } from './io.js'
import type { Io } from './io.js'

interface Place {
  readonly gateway: string
  readonly server: string
  readonly json?: boolean
}
interface One extends Place {
  readonly kind: string
  readonly sha256?: string
  readonly note?: string
}
interface Event {
  readonly event: string
  readonly sha256: string
  readonly note: string | null
  readonly by: string | null
  readonly at: string
}
interface Feature {
  readonly kind: string
  readonly name: string
  readonly state: string
  readonly sha256: string | null
  readonly waiting:
    (Event & { readonly diff: readonly Readonly<Record<'field' | 'before' | 'after', string | null>>[] }) | null
}

/** What of a server's pinned features is trusted on a gateway. */
export function addFeatureCommands(program: Command, io: Io): void {
  const features = program
    .command('features')
    .description('Pinned features of servers: what is trusted, and what waits.')
  const at = (name: string, description: string) =>
    features
      .command(name)
      .description(description)
      .requiredOption('--gateway <slug>', 'the gateway')
      .requiredOption('--server <name>', 'the name that the server goes by on it')
      .option('--json', 'print it as JSON')
  const ofOne = (name: string, description: string) =>
    at(name, description)
      .argument('<name>', "the server's own name of the feature, or its URI")
      .option('--kind <kind>', 'tool, prompt, resource or template', 'tool')

  at('list', 'List what was recorded, with what has changed since.').action(async (place: Place) => {
    const found = await all<Feature>(await connect(io), pathOf(place))
    if (place.json) return io.out(`${JSON.stringify(found, null, 2)}\n`)
    for (const feature of found) io.out(describe(feature))
    if (found.length === 0) io.out('Nothing of this server is recorded: nothing is pinned, or it was not listed yet.\n')
  })
  ofOne('history', 'Show what was seen of a feature and decided on it, newest first.').action(
    async (name: string, one: One) => {
      const events = await all<Event>(await connect(io), `${featurePath(one, name)}/history`)
      if (one.json) return io.out(`${JSON.stringify(events, null, 2)}\n`)
      const rows = events.map(({ at, event, sha256, by, note }) => [
        at,
        event,
        sha256,
        plain(by ?? ''),
        plain(note ?? ''),
      ])
      io.out(rows.length === 0 ? 'Nothing was seen of it.\n' : `${columns(rows)}\n`)
    },
  )
  for (const [verb, what] of [
    ['approve', 'Trust the definition of this hash, and no other from now on.'],
    ['reject', 'Never let the definition of this hash through.'],
  ] as const)
    ofOne(verb, what)
      .requiredOption('--sha256 <hash>', 'the definition, as `features list` shows it')
      .option('--note <text>', 'why, for the history')
      .action(async (name: string, { sha256, note, ...one }: One) =>
        tell(io, one, await (await connect(io)).post(`${featurePath(one, name)}/${verb}`, { sha256, note })),
      )
  ofOne('undo', 'Take back the last approval.').action(async (name: string, one: One) =>
    tell(io, one, await (await connect(io)).post(`${featurePath(one, name)}/undo`, {})),
  )
}

function tell(io: Io, { json }: Pick<One, 'json'>, feature: unknown): void {
  io.out(json ? `${JSON.stringify(feature, null, 2)}\n` : describe(feature as Feature))
}

function describe({ kind, name, state, sha256, waiting }: Feature): string {
  const head = `${state.padEnd(11)}  ${kind.padEnd(8)}  ${plain(name)}  ${sha256 ?? 'nothing is trusted'}\n`
  if (waiting === null) return head
  const note = waiting.note === null ? '' : ` (${plain(waiting.note)})`
  const diff = waiting.diff.map(({ field, before, after }) => `    ${field}: ${quoted(before)} → ${quoted(after)}\n`)
  return `${head}  ${waiting.event}${note} at ${waiting.at}: ${waiting.sha256}\n${diff.join('')}`
}

const quoted = (text: string | null | undefined): string => (text == null ? 'nothing' : `"${plain(text)}"`)

const pathOf = ({ gateway, server }: Place): string =>
  `/gateways/${encodeURIComponent(gateway)}/servers/${encodeURIComponent(server)}/features`

function featurePath(one: One, name: string): string {
  if (name === '.' || name === '..') throw new CommandError(`No feature is called ${name}.`)
  return `${pathOf(one)}/${encodeURIComponent(one.kind)}/${encodeURIComponent(name)}`
}

async function all<T>(client: Client, path: string): Promise<readonly T[]> {
  const items: T[] = []
  for (let cursor: string | undefined; ;) {
    const page = (await client.get(path, { limit: '500', cursor })) as { items: readonly T[]; next: string | null }
    items.push(...page.items)
    if (page.next === null) return items
    cursor = page.next
  }
}
