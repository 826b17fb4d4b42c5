import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { type ArtifactReference, readReference } from '../domain/artifacts.js'
import { connect } from './client.js'
import { addGrantCommand, type Granted, tellGrants } from './grant-commands.js'
import { columns, plain } from './io.js'
import type { Io } from './io.js'
import { addUploadCommand } from './upload-command.js'

export interface Version {
  readonly version: number
  readonly sha256: string
  readonly signedBy: string | null
  readonly refused: string | null
  readonly state: string
}
export interface Artifact extends Omit<Version, 'version' | 'state'>, Granted {
  readonly engine: string
  readonly current: number
  readonly canary: { readonly version: number; readonly percent: number; readonly shadow: boolean } | null
  readonly usedBy: readonly { readonly version: number | null }[]
}
interface Json {
  readonly json?: boolean
}

const named = (text: string): ArtifactReference => {
  const reference = readReference(text)
  if (reference === null || reference.at === null)
    throw new InvalidArgumentError('It must be <name>@<version>, or <name>@sha256:<64 hex digits>.')
  return reference
}
const percent = (text: string): number => {
  if (/^[1-9]\d?$|^100$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 to 100.')
}

/** What concerns the modules that rules run: `gatehouse rules upload`, `modules`, `grant`, `use`, `canary`, `rollback`. */
export function addModuleCommands(rules: Command, io: Io): void {
  addUploadCommand(rules, io)
  rules
    .command('modules')
    .description('List the modules that rules may name, and what of them runs.')
    .option('--json', 'print them as JSON')
    .action((options: Json) => list(io, options))
  addGrantCommand(rules, io)
  rules
    .command('use')
    .description('Make a version current: rules that name none run it from the next message on.')
    .argument('<name@version>', 'the version, by number or sha256:<digest>', named)
    .option('--json', 'print the module as JSON')
    .action((reference: ArtifactReference, options: Json) =>
      change(io, reference.slug, { current: atOf(reference) }, options),
    )
  rules
    .command('canary')
    .description(
      'Run another version for a share of the messages, or beside the current one without effect; or end that.',
    )
    .argument('<name[@version]>', 'the version, by number or sha256:<digest>; with --off the name does')
    .option('--percent <n>', 'of the messages, 1 to 100', percent)
    .option('--shadow', 'it only looks, and the current version serves all')
    .option('--off', 'end it')
    .option('--json', 'print the module as JSON')
    .action((text: string, options: CanaryOptions, command: Command) => canary(io, text, options, command))
  rules
    .command('rollback')
    .description('Make the version current again that was so before.')
    .argument('<name>', 'the module')
    .option('--json', 'print the module as JSON')
    .action((name: string, options: Json) => change(io, name, { current: 'previous' }, options))
}

async function list(io: Io, { json }: Json): Promise<void> {
  const { items } = (await (await connect(io)).get('/artifacts', { limit: '500' })) as { items: Artifact[] }
  if (json) return io.out(`${JSON.stringify(items, null, 2)}\n`)
  if (items.length === 0) return io.out('There are none yet. Upload one with: gatehouse rules upload FILE.wasm\n')
  io.out(`${columns([['MODULE', 'SHA256', 'SIGNED BY', 'CANARY', 'RULES', 'GRANTS', ''], ...items.map(row)])}\n`)
}

function row({ slug, current, sha256, signedBy, canary: other, usedBy, grants, refused }: Artifact): string[] {
  const share = other === null ? '-' : `@${other.version} ${other.percent}%${other.shadow ? ' shadow' : ''}`
  const signer = signedBy ?? '-'
  return [
    `${slug}@${current}`,
    sha256.slice(0, 12),
    signer,
    share,
    usesOf(usedBy, current),
    Object.keys(grants).length === 0 ? '-' : tellGrants(grants),
    refused === null ? '' : plain(`must not run: ${refused}`),
  ]
}

/** How many rules name it, and which other versions than the current one some of them run. */
function usesOf(usedBy: Artifact['usedBy'], current: number): string {
  const others = new Set(usedBy.flatMap(({ version }) => (version === null || version === current ? [] : [version])))
  const versions = [...others].toSorted((one, other) => one - other).map((version) => `@${version}`)
  return versions.length === 0 ? String(usedBy.length) : `${usedBy.length} (${versions.join(', ')})`
}

interface CanaryOptions extends Json {
  readonly percent?: number
  readonly shadow?: boolean
  readonly off?: boolean
}

async function canary(io: Io, text: string, options: CanaryOptions, command: Command): Promise<void> {
  const reference = readReference(text)
  if (reference === null) return command.error('error: say <name>@<version>')
  if (options.off) return change(io, reference.slug, { canary: null }, options)
  const { percent: share, shadow = false } = options
  if (reference.at === null) return command.error('error: say which version: <name>@<version>')
  if (share === undefined && !shadow) return command.error('error: say --percent, --shadow, or --off')
  const asked = { version: atOf(reference), percent: share ?? 100, shadow }
  return change(io, reference.slug, { canary: asked }, options)
}

function atOf({ at }: ArtifactReference): number | string {
  if (at === null) return 'previous'
  return 'version' in at ? at.version : `sha256:${at.sha256}`
}

async function change(io: Io, slug: string, patch: object, { json }: Json): Promise<void> {
  const client = await connect(io)
  const after = (await client.patch(`/artifacts/${encodeURIComponent(slug)}`, patch)) as Artifact
  if (json) return io.out(`${JSON.stringify(after, null, 2)}\n`)
  io.out(`${columns([row(after)])}\n`)
}
