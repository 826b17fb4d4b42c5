import { createHash } from 'node:crypto'
import { isModulePath } from '../domain/artifacts.js'
import type { EngineKind } from '../domain/engines.js'
import type { ConfigurationFile } from './file.js'
import { type ModuleSource, readModule } from './module-files.js'
import type { Upload } from './nouns/artifact-uploads.js'
import type { Problem } from './problems.js'
import { slug } from './schemas.js'
import type { File } from './schemas.js'

/** What a file brings for one artifact, beside what it says of it. */
export interface Brought {
  readonly uploads: readonly Upload[]
  /** Of an artifact that rules alone speak of: where the first does. */
  readonly place: Problem['path'] | null
}

/** Under this key an entry of `artifacts` holds what was read for it; no file can say it. */
export const BROUGHT = Symbol('brought')
export type BroughtEntry = NonNullable<File['artifacts']>[string] & { readonly [BROUGHT]?: Brought }

/**
 * The content with every module read that it names. A rule that names a file names the artifact of the manifest's name from then
 * on, by its digest; that artifact holds the file as one of its versions.
 */
export async function bringModules(
  file: ConfigurationFile,
  content: File,
  { source, kinds }: { readonly source: ModuleSource; readonly kinds: readonly EngineKind[] },
): Promise<File> {
  const problems: Problem[] = []
  const read = async (path: Problem['path'], name: string): Promise<Upload | null> => {
    try {
      return await readModule(name, source)
    } catch (thrown) {
      problems.push({ path, message: (thrown as Error).message })
      return null
    }
  }
  const entries = new Map<string, BroughtEntry>()
  for (const [key, entry] of Object.entries(content.artifacts ?? {})) {
    const upload = entry.file === undefined ? null : await read(['artifacts', key, 'file'], entry.file)
    entries.set(key, { ...entry, [BROUGHT]: { uploads: upload === null ? [] : [upload], place: null } })
  }
  const gateways: NonNullable<File['gateways']> = {}
  for (const [key, gateway] of Object.entries(content.gateways ?? {})) {
    if (gateway.rules === undefined) gateways[key] = gateway
    else gateways[key] = { ...gateway, rules: await eachInTurn(gateway.rules, (rule, at) => bring(rule, [key, at])) }
  }
  if (problems.length > 0) throw file.fault(problems)
  if (entries.size === 0) return content
  const artifacts = Object.fromEntries(entries)
  return content.gateways === undefined ? { ...content, artifacts } : { ...content, artifacts, gateways }

  async function bring(rule: Rule, [gateway, at]: readonly [string, number]): Promise<Rule> {
    const kind = kindOf(rule, content, kinds)
    const key = kind?.declaration.artifact?.key
    const name = key === undefined ? undefined : rule[key]
    if (kind === undefined || key === undefined || typeof name !== 'string' || !isModulePath(name)) return rule
    const place = ['gateways', gateway, 'rules', at, key]
    const upload = await read(place, name)
    if (upload === null) return rule
    const named = slug.safeParse(upload.manifest['name'])
    if (!named.success)
      problems.push({
        path: place,
        message: `its manifest has no name that would do: ${named.error.issues[0]?.message ?? ''}`,
      })
    if (!named.success) return rule
    const known = entries.get(named.data)
    const before = known?.[BROUGHT] ?? { uploads: [], place }
    entries.set(named.data, {
      ...(known ?? { engine: kind.kind }),
      [BROUGHT]: { ...before, uploads: [...before.uploads, upload] },
    })
    const digest = createHash('sha256').update(upload.module).digest('hex')
    return { ...rule, [key]: `${named.data}@sha256:${digest}` }
  }
}

type Rule = NonNullable<NonNullable<File['gateways']>[string]['rules']>[number]

function kindOf({ engine }: Rule, { engines = {} }: File, kinds: readonly EngineKind[]): EngineKind | undefined {
  const kind = Object.hasOwn(engines, engine) ? engines[engine]?.kind : engine
  return kinds.find((one) => one.kind === kind)
}

async function eachInTurn<T>(all: readonly T[], work: (one: T, index: number) => Promise<T>): Promise<T[]> {
  const done: T[] = []
  for (const [index, one] of all.entries()) done.push(await work(one, index))
  return done
}
