import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Io } from './io.js'
import { checkOrTell } from './rule-kit-check.js'
import { compile } from './rule-kit-compile.js'
import { newestSource, openFolder, type RuleFolder } from './rule-kit-folder.js'
import { besides, digest, readPackage } from './rule-kit-package.js'

/** Compiles the rule in a folder, writes its manifest beside the module, and checks both as the gateway would. */
export async function buildCommand(io: Io, directory: string): Promise<void> {
  const module = await build(io, await openFolder(io, directory))
  io.out(`${module}\n${besides(module).manifest}\n`)
  const { sha256, report } = await checkOrTell(io, await readPackage(io, module))
  io.out(`${report.facts['bytes'] ?? ''} bytes, sha256 ${sha256}\nNext: gatehouse rules test ${directory}\n`)
}

/** Answers the path of the module, as seen from where the command runs. */
export async function build(io: Io, rule: RuleFolder): Promise<string> {
  const module = moduleOf(rule)
  const { manifest, signature } = besides(module)
  await mkdir(join(rule.folder, 'build'), { recursive: true })
  await compile({ io, rule, out: module })
  const sha256 = digest(await readFile(module))
  const text = `${JSON.stringify({ ...rule.written, sha256, vectors: rule.vectors }, null, 2)}\n`
  const before = await readFile(manifest, 'utf8').catch(() => null)
  await writeFile(manifest, text)
  // A signature is over the manifest: of another one it is none.
  if (before !== text) await rm(signature, { force: true })
  return relative(io.cwd, module)
}

/** Builds it if the module is missing or older than what it is made of. */
export async function buildIfStale(io: Io, directory: string): Promise<string> {
  const rule = await openFolder(io, directory)
  const module = moduleOf(rule)
  const made = await Promise.all([module, besides(module).manifest].map(timeOf))
  if (Math.min(...made) > (await newestSource(rule.folder))) return relative(io.cwd, module)
  return build(io, rule)
}

const timeOf = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.mtimeMs ?? 0

const moduleOf = ({ folder, name, isJavascript }: RuleFolder): string =>
  join(folder, 'build', `${name}.${isJavascript ? 'js' : 'wasm'}`)
