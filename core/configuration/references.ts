import { resolveReferences, resolveSecret } from '../vault/secret-reference.js'
import type { ReferenceSource } from '../vault/secret-reference.js'
import { GatehouseError } from '../errors.js'
import type { ConfigurationFile } from './file.js'
import type { Problem } from './problems.js'
import { problemsOf } from './problems.js'
import { headers, isSecretKey } from './schemas.js'
import type { File } from './schemas.js'

/** Where a file may or must refer to a secret. */
interface Place {
  readonly path: readonly string[]
  /** What is no text is left alone. */
  readonly values: Record<string, unknown>
  /** Whether a value must be a reference; others may be, and are sealed all the same. */
  readonly mustRefer: (name: string) => boolean
}

/** A variable by such a name holds a secret, so it is never written into the file. */
const SECRET_NAME = /key|token|secret|passw|pwd|credential|auth/i

type Auth = NonNullable<File['servers']>[string]['auth']

function authPlaces(slug: string, auth: Auth): Place[] {
  if (typeof auth !== 'object') return []
  if ('headers' in auth)
    return Array.isArray(auth.headers)
      ? []
      : [{ path: ['servers', slug, 'auth', 'headers'], values: auth.headers, mustRefer: () => true }]
  const values = auth.oauth as Record<string, unknown>
  return [{ path: ['servers', slug, 'auth', 'oauth'], values, mustRefer: (name) => name === 'clientSecret' }]
}

type PluginNoun = 'engines' | 'idps' | 'alerts'
/** Keys that plugins declare as secret, for what a file says of one engine, provider or target; names of keys tell only so much. */
export type DeclaredSecrets = (noun: PluginNoun, entry: Readonly<Record<string, unknown>>) => readonly string[]

/** The plugin's keys of one entry: texts, and records of texts such as headers. */
function pluginPlaces(noun: PluginNoun, content: File, declared: DeclaredSecrets): Place[] {
  return Object.entries(content[noun] ?? {}).flatMap(([slug, entry]): Place[] => {
    const values = entry as Record<string, unknown>
    const secret = declared(noun, values)
    const inside = Object.entries(values).filter(([, value]) => isRecord(value)) as [string, Record<string, unknown>][]
    return [
      { path: [noun, slug], values, mustRefer: (name) => isSecretKey(name) || secret.includes(name) },
      ...inside.map(([key, record]) => ({
        path: [noun, slug, key],
        values: record,
        mustRefer: () => secret.includes(key),
      })),
    ]
  })
}

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

function placesOf(content: File, declared: DeclaredSecrets): Place[] {
  const always = () => true
  const servers = Object.entries(content.servers ?? {}).flatMap(([slug, { auth, env }]): Place[] => [
    ...authPlaces(slug, auth),
    ...(env
      ? [{ path: ['servers', slug, 'env'], values: env, mustRefer: (name: string) => SECRET_NAME.test(name) }]
      : []),
  ])
  const others = (['identities', 'exporters'] as const).flatMap((noun) =>
    Object.entries(content[noun] ?? {}).flatMap(([slug, one]): Place[] =>
      one.headers ? [{ path: [noun, slug, 'headers'], values: one.headers, mustRefer: always }] : [],
    ),
  )
  return [
    ...servers,
    ...pluginPlaces('idps', content, declared),
    ...pluginPlaces('engines', content, declared),
    ...pluginPlaces('alerts', content, declared),
    ...others,
  ]
}

/** The file's content with every reference replaced by its value; a secret that stands in the file itself is refused. */
export async function resolveFile(
  file: ConfigurationFile,
  source: ReferenceSource,
  declared: DeclaredSecrets = () => [],
): Promise<File> {
  const content = structuredClone(file.content)
  const problems: Problem[] = []
  for (const place of placesOf(content, declared)) problems.push(...(await resolvePlace(place, source)))
  if (problems.length > 0) throw file.fault(problems, 'GH_CONFIG_SECRET')
  return content
}

async function resolvePlace({ path, values, mustRefer }: Place, source: ReferenceSource): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const [name, text] of Object.entries(values)) {
    if (typeof text !== 'string') continue
    try {
      values[name] = mustRefer(name) ? await resolveSecret(text, source) : await resolveReferences(text, source)
    } catch (error) {
      if (!(error instanceof GatehouseError)) throw error
      problems.push({ path: [...path, name], message: error.message })
    }
  }
  // What a reference leads to was not seen when the file was checked: a line end in it would make two headers of one.
  if (problems.length > 0 || path.at(-1) !== 'headers') return problems
  const checked = headers.safeParse(values)
  if (checked.success) return []
  return problemsOf(checked.error.issues).map((problem) => ({ ...problem, path: [...path, ...problem.path] }))
}

/** The values of all references of a file, by what stands between the braces, for a gateway elsewhere to use. */
export async function collectSecrets(
  file: ConfigurationFile,
  source: ReferenceSource,
): Promise<Record<string, string>> {
  await resolveFile(file, source)
  const texts = placesOf(file.content, () => []).flatMap(({ values }) =>
    Object.values(values).filter((value) => typeof value === 'string'),
  )
  const references = new Set(texts.flatMap((text) => [...text.matchAll(REFERENCE)].map(([, inner = '']) => inner)))
  const collected: Record<string, string> = {}
  for (const inner of references) collected[keyOf(inner)] = await resolveReferences(`\${${inner}}`, source)
  return collected
}

const REFERENCE = /\$\{([^{}]*)\}/g

function keyOf(inner: string): string {
  const colon = inner.indexOf(':')
  return `${inner.slice(0, colon)}:${inner.slice(colon + 1).trim()}`
}

/** A source that knows only what `collectSecrets` gave: nothing of this machine can be read with it. */
export function sourceOf(secrets: Readonly<Record<string, string>>): ReferenceSource {
  const variables = Object.entries(secrets).filter(([key]) => key.startsWith('env:'))
  return {
    env: Object.fromEntries(variables.map(([key, value]) => [key.slice('env:'.length), value])),
    async readFile(path) {
      const value = Object.hasOwn(secrets, `file:${path}`) ? secrets[`file:${path}`] : undefined
      if (value === undefined) throw new Error('not sent along')
      return `${value}\n`
    },
  }
}
