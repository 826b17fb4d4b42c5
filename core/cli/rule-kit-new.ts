import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { CommandError, type Io } from './io.js'
import { root, toolchains } from './rule-kit-compile.js'

const NAME = /^[a-z][a-z0-9-]{0,62}$/
/** What a build leaves behind. */
const MADE = /(^|\/)(build|target|node_modules|dist)\//

export const languages: readonly string[] = Object.keys(toolchains)

interface Options {
  readonly language: string
  readonly dir?: string
}

/** Makes a folder with a rule that can be built, from the template of a language. */
export async function newCommand(io: Io, name: string, { language, dir = name }: Options): Promise<void> {
  if (!NAME.test(name))
    throw new CommandError(`${name} is no name for a rule: small letters, digits and hyphens, a letter first.`)
  const folder = resolve(io.cwd, dir)
  const taken = await readdir(folder).catch(() => [])
  if (taken.length > 0) throw new CommandError(`${dir} is not empty. Say another folder with --dir.`)
  const template = join(root, 'rules-wasm/templates', language)
  for (const path of await filesOf(template)) {
    const text = await readFile(join(template, path), 'utf8')
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text.replaceAll('{{name}}', name))
  }
  const shown = relative(io.cwd, folder) || '.'
  io.out(
    `Made ${shown}: a rule in ${language}.\nNext: gatehouse rules test ${shown}, which builds it first. ${shown}/README.md tells the rest.\n`,
  )
}

async function filesOf(template: string): Promise<readonly string[]> {
  const entries = await readdir(template, { recursive: true, withFileTypes: true }).catch(() => {
    throw new CommandError(`The template is missing: ${template}`)
  })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(template, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !MADE.test(path))
}
