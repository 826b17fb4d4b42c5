import { basename, dirname, resolve } from 'node:path'
import type { RuleGrants } from '@gatehouse/sdk/rule-abi'
import type { Command } from 'commander'
import { modulesIn, readModule } from '../configuration/module-files.js'
import { type Client, connect } from './client.js'
import { addGrantOptions, flagsOf, grantsOf, lackingGrants, tellGrants } from './grant-commands.js'
import { CommandError, type Io, shellWord } from './io.js'
import type { Artifact, Version } from './module-commands.js'

export function addUploadCommand(rules: Command, io: Io): void {
  const upload = rules
    .command('upload')
    .description('Upload a module with the manifest, and the signature if there is one, that stand beside it.')
    .argument('<file>', 'the module, .wasm or .js')
    .option('--name <name>', 'what rules call it; the name in its manifest, unless given')
    .option('--engine <kind>', 'the engine that it is for; may be left out when there is one alone')
    .option('--current', 'rules that name no version run it from now on')
  addGrantOptions(upload)
    .option('--json', 'print the version as JSON')
    .action((file: string, options: UploadOptions) => uploadModule(io, file, options))
}

interface UploadOptions extends RuleGrants {
  readonly json?: boolean
  readonly name?: string
  readonly engine?: string
  readonly current?: boolean
}

async function uploadModule(io: Io, path: string, options: UploadOptions): Promise<void> {
  const full = resolve(io.cwd, path)
  const read = await readModule(basename(full), modulesIn(dirname(full))).catch((error: Error) => {
    throw new CommandError(error.message)
  })
  const { module, manifest } = read
  const client = await connect(io)
  const slug = options.name ?? String(manifest['name'])
  const { items } = (await client.get('/artifacts', { limit: '500' })) as { items: Artifact[] }
  const before = items.find((one) => one.slug === slug)
  const given = grantsOf(options)
  const grants = { ...before?.grants, ...given }
  const lacking = lackingGrants(module, manifest, grants)
  const version = await send(client, { ...read, slug, before, grants: given && grants, options }).catch(
    (error: unknown) => {
      throw withHint(error, lacking, uploadAgain(path, options, lacking))
    },
  )
  if (options.json) return io.out(`${JSON.stringify({ slug, ...version }, null, 2)}\n`)
  const by = version.signedBy === null ? 'not signed' : `signed by ${version.signedBy}`
  io.out(`${slug}@${version.version}  sha256:${version.sha256}  ${by}  ${version.state}\n`)
  if (version.state !== 'current') io.out(`Rules run it after: gatehouse rules use ${slug}@${version.version}\n`)
  if (Object.keys(lacking).length > 0)
    io.out(
      `It gets less than it asks for (${tellGrants(lacking)}), unless: gatehouse rules grant ${slug} ${flagsOf(lacking)}\n`,
    )
}

interface Sent extends Awaited<ReturnType<typeof readModule>> {
  readonly slug: string
  /** What goes by this name already. */
  readonly before: Artifact | undefined
  readonly grants: RuleGrants | undefined
  readonly options: UploadOptions
}

async function send(client: Client, sent: Sent): Promise<Version> {
  const { module, manifest, signature, slug, before, grants, options } = sent
  const body = {
    module: Buffer.from(module).toString('base64'),
    manifest,
    ...(signature === undefined ? {} : { signature }),
    ...(grants === undefined ? {} : { grants }),
  }
  if (before !== undefined) {
    const added = await client.post(`/artifacts/${slug}/versions`, { ...body, makeCurrent: options.current ?? false })
    return added as Version
  }
  const engine = options.engine ?? (await onlyEngine(client))
  const made = (await client.post('/artifacts', { ...body, slug, engine })) as { versions: Version[] }
  return made.versions[0] as Version
}

/** What was refused for what it is, and asks for more than it is granted, may be for that: the person is told the very command. */
function withHint(error: unknown, lacking: RuleGrants, command: string): unknown {
  const { message, status } = error as CommandError
  if (!(error instanceof CommandError) || status !== 400 || Object.keys(lacking).length === 0) return error
  const asks = `It asks for more than every module may (${tellGrants(lacking)}). If it is to have that:`
  return new CommandError(`${message}\n${asks}\n  ${command}`, status)
}

function uploadAgain(path: string, { name, engine, current, ...options }: UploadOptions, lacking: RuleGrants): string {
  const words = [
    ...(name === undefined ? [] : ['--name', shellWord(name)]),
    ...(engine === undefined ? [] : ['--engine', shellWord(engine)]),
    ...(current === true ? ['--current'] : []),
    flagsOf({ ...grantsOf(options), ...lacking }),
  ]
  return `gatehouse rules upload ${shellWord(path)} ${words.join(' ')}`
}

async function onlyEngine(client: Client): Promise<string> {
  const { items } = (await client.get('/engines/kinds')) as { items: { kind: string; artifact: unknown }[] }
  const [first, ...others] = items.filter(({ artifact }) => artifact !== null)
  if (first === undefined) throw new CommandError('No engine that runs modules is loaded: name its plugin in the file.')
  if (others.length === 0) return first.kind
  throw new CommandError(`Say for which engine with --engine: ${[first, ...others].map(({ kind }) => kind).join(', ')}`)
}
