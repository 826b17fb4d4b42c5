import { z } from 'zod'
import { readYaml } from './file.js'
import { problemsOf } from './problems.js'
import { Plugin } from './schemas.js'

/** One line of the `plugins:` list. */
export interface PluginEntry {
  /** An id of ours (`auth-token`), a package's name, or a path relative to the file that names it. */
  readonly use: string
  readonly config: unknown
  /** The folder that relative paths start from. */
  readonly from: string
}
export interface PluginSource {
  readonly text: string
  /** How errors call the file. */
  readonly name: string
  readonly from: string
}

const Lists = z.looseObject({ plugins: z.array(Plugin).optional() })

/**
 * The plugins that the files name, in order: the defaults that are shipped, then the operator's. A plugin that a later
 * file names again takes that file's configuration and keeps its place. The files' other keys are not looked at.
 */
export function readPlugins(sources: readonly PluginSource[]): PluginEntry[] {
  const entries = new Map<string, PluginEntry>()
  for (const { text, name, from } of sources) {
    const { value, fault } = readYaml(text, name)
    const parsed = Lists.safeParse(value)
    if (!parsed.success) throw fault(problemsOf(parsed.error.issues))
    for (const { use, config } of parsed.data.plugins ?? []) entries.set(keyOf(use, from), { use, config, from })
  }
  return [...entries.values()]
}

/** Two relative paths of different folders are two plugins. */
const keyOf = (use: string, from: string): string => (use.startsWith('.') ? `${from} ${use}` : use)
