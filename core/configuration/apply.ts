import type { ReferenceSource } from '../vault/secret-reference.js'
import type { EngineKind } from '../domain/engines.js'
import { bringModules } from './bring-modules.js'
import { readFile } from './file.js'
import type { ModuleSource } from './module-files.js'
import type { Mutations } from './mutations.js'
import { stoppedModules } from './nouns/artifact-warnings.js'
import { carryOut } from './plan.js'
import type { Step } from './plan.js'
import { resolveFile } from './references.js'
import type { DeclaredSecrets } from './references.js'
import type { File } from './schemas.js'
import { warningLine, warningsOf } from './warnings.js'
import type { Actor, Work } from './work.js'

export interface FileRequest {
  readonly text: string
  /** How errors call the file. */
  readonly name: string
  readonly actor: Actor
  /** Where `${env:}` and `${file:}` lead. */
  readonly source: ReferenceSource
  /** Where the paths of modules lead, from the file on. */
  readonly modules: ModuleSource
  /** Removes what an earlier file made and this one does not name. */
  readonly prune: boolean
  /** Looks at the steps before they stand; what it throws takes them back. */
  readonly allow?: (steps: readonly Step[]) => void
  /** Told what in the file's rules is hardly meant, and which modules its settings stop, a line each; of a file that is refused nothing. */
  readonly onWarnings?: (lines: readonly string[]) => void
}

export interface FileOperations {
  /** What `apply` would do, found by doing it and taking it back: every refusal is met here too. */
  plan(request: FileRequest): Promise<readonly Step[]>
  /** All or nothing. Answers what was done; nothing at all when the file says what is there. */
  apply(request: FileRequest): Promise<readonly Step[]>
}

export function createFileOperations(
  mutations: Mutations,
  declared: DeclaredSecrets,
  kinds: () => readonly EngineKind[],
): FileOperations {
  const prepare = async ({ text, name, source, modules, prune, allow, onWarnings }: FileRequest) => {
    const file = readFile(text, name)
    const resolved = await resolveFile(file, source, declared)
    const content = await bringModules(file, resolved, { source: modules, kinds: kinds() })
    return async (work: Parameters<typeof carryOut>[0]): Promise<readonly Step[]> => {
      const steps = await carryOut(work, file, content, prune)
      allow?.(steps)
      if (onWarnings !== undefined) onWarnings(await warningsIn(work, content))
      return steps
    }
  }
  return {
    plan: async (request) => mutations.rehearse(request.actor, await prepare(request)),
    async apply(request) {
      const work = await prepare(request)
      const steps = await mutations.rehearse(request.actor, work)
      return steps.length === 0 ? steps : mutations.change(request.actor, work)
    },
  }
}

async function warningsIn(work: Work, { gateways = {}, settings }: File): Promise<string[]> {
  const { store } = work
  const lines = settings?.ruleModules === undefined ? [] : await stoppedModules(work)
  for (const slug of Object.keys(gateways)) {
    const gateway = await store.gateways.byKey(slug)
    if (gateway === null) continue
    for (const warning of await warningsOf(store, gateway)) lines.push(warningLine(gateway, warning))
  }
  return lines
}
