import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { RuleVector, RULE_LIMITS } from '@gatehouse/sdk/rule-abi'
import { CommandError, type Io, plain } from './io.js'
import { parseJson, parseManifest } from './rule-kit-package.js'

/** The sources of a rule: `rule.json`, which is its manifest without the digest, and `tests/*.json`. */
export interface RuleFolder {
  readonly folder: string
  readonly name: string
  /** Of the manifest: what holds unless it says less. */
  readonly memoryPages: number
  readonly isJavascript: boolean
  readonly written: Readonly<Record<string, unknown>>
  readonly vectors: readonly unknown[]
}

const ANY_DIGEST = '0'.repeat(64)

export async function openFolder(io: Io, directory: string): Promise<RuleFolder> {
  const folder = resolve(io.cwd, directory)
  const file = join(relative(io.cwd, folder), 'rule.json')
  const text = await readFile(join(folder, 'rule.json'), 'utf8').catch(() => {
    throw new CommandError(`There is no ${file}. Make a rule: gatehouse rules new my-rule`)
  })
  const written = parseJson(text, file) as Readonly<Record<string, unknown>>
  const vectors = await readVectors(join(folder, 'tests'), join(relative(io.cwd, folder), 'tests'))
  const { name, language, limits } = parseManifest({ ...written, sha256: ANY_DIGEST, vectors }, file)
  const memoryPages = limits.memoryPages ?? RULE_LIMITS.memoryPages
  return { folder, name, memoryPages, isJavascript: language === 'javascript', written, vectors }
}

/** Files of one vector or of a list of them, in the order of their names. */
async function readVectors(folder: string, shown: string): Promise<readonly unknown[]> {
  const names = await readdir(folder).catch(() => [])
  const vectors: unknown[] = []
  for (const name of names.filter((one) => one.endsWith('.json')).toSorted()) {
    const file = join(shown, name)
    const value = parseJson(await readFile(join(folder, name), 'utf8'), file)
    for (const vector of Array.isArray(value) ? value : [value]) {
      checkVector(vector, file)
      vectors.push(vector)
    }
  }
  return vectors
}

function checkVector(vector: unknown, file: string): void {
  const { success, error } = RuleVector.safeParse(vector)
  if (success) return
  const name = String((vector as { readonly name?: unknown } | null)?.name ?? '?')
  const lines = error.issues.map(({ path, message }) => `  ${path.join('.') || 'all of it'}: ${message}`)
  throw new CommandError(`${file}: the test "${plain(name)}" is none that can be run:\n${lines.join('\n')}`)
}

const NO_SOURCES = ['build', 'target', 'node_modules', '.git']

/** Milliseconds of the newest file of the rule, what was built of it aside. */
export async function newestSource(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true })
  const times = entries
    .filter(({ name }) => !NO_SOURCES.includes(name))
    .map(async (entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? newestSource(path) : (await stat(path)).mtimeMs
    })
  return Math.max(0, ...(await Promise.all(times)))
}
