import { createHash } from 'node:crypto'
import type { BuiltAnswer, BuildTask } from './protocol.js'
import type { Problem, RuleBundle, RuleModule } from '@gatehouse/rule-sandbox'
import type { ConfigError } from '@gatehouse/sdk'
import type { WorkerPool } from '@gatehouse/sdk/workers'
import { TaskFailure } from '@gatehouse/sdk/workers'
import type { Read } from './bundle.js'
import { refuse } from './bundle.js'

export type BuildPool = WorkerPool<BuildTask, BuiltAnswer>

/** A module that was built, shared by all rules that need the very same. */
export interface Build {
  readonly module: RuleModule
  /** It may be forgotten when all have given it back. */
  release(): void
}

/** Building takes up to a quarter of a second for a megabyte on a thread of its own; vectors run as long as rules may. */
const BUILD_MS = 10_000

/** Modules built, each once for as long as somebody needs it. Never on the thread of the calls, never for longer than a while. */
export interface Builds {
  get(bundle: RuleBundle): Promise<Read<Build>>
  /** Builds it anew and runs the vectors of its manifest; nothing is kept. */
  tryOut(bundle: RuleBundle): Promise<Read<BuiltAnswer & { readonly module: RuleModule }>>
}

interface Kept {
  readonly building: Promise<Read<RuleModule>>
  users: number
}

export function createBuilds(pool: BuildPool): Builds {
  const kept = new Map<string, Kept>()

  function giveBack(key: string, one: Kept): void {
    one.users -= 1
    if (one.users === 0 && kept.get(key) === one) kept.delete(key)
  }

  const build = async (task: BuildTask): Promise<Read<BuiltAnswer & { readonly module: RuleModule }>> => {
    try {
      const answer = await pool.run(task, BUILD_MS)
      if (!answer.built.ok) return { ok: false, errors: answer.built.problems.map(asError) }
      return { ok: true, value: { ...answer, module: answer.built.module } }
    } catch (thrown) {
      if (!(thrown instanceof TaskFailure)) throw thrown
      return refuse(
        thrown.kind === 'late' ? `could not be built within ${BUILD_MS / 1_000} s` : unbuilt(thrown.message),
      )
    }
  }

  const share = async (bundle: RuleBundle): Promise<Read<RuleModule>> => {
    const built = await build({ bundle, vectors: false })
    return built.ok ? { ok: true, value: built.value.module } : built
  }

  return {
    async get(bundle) {
      const key = keyOf(bundle)
      const one = kept.get(key) ?? { building: share(bundle), users: 0 }
      kept.set(key, one)
      one.users += 1
      const built = await one.building
      if (!built.ok) giveBack(key, one)
      return built.ok ? { ok: true, value: { module: built.value, release: () => giveBack(key, one) } } : built
    },
    tryOut: (bundle) => build({ bundle, vectors: true }),
  }
}

const unbuilt = (why: string) => `could not be built: ${why}`

/** The manifest is in it too: what it asks for is part of what is built. */
const keyOf = ({ bytes, manifest, grants, ceilings }: RuleBundle): string => {
  const digest = createHash('sha256').update(bytes).digest('hex')
  return JSON.stringify([digest, manifest, grants, ceilings ?? {}])
}

const asError = ({ message, offset, path }: Problem): ConfigError => ({
  path: 'module',
  message: path === undefined ? message : `${path}: ${message}`,
  ...(offset !== undefined && { position: offset }),
})
