import { createHash } from 'node:crypto'
import type { Artifact, ConfigError, JsonObject } from '@gatehouse/sdk'
import type { Engines } from './engines.js'

type Answer =
  { readonly ok: true; readonly facts: JsonObject } | { readonly ok: false; readonly errors: readonly ConfigError[] }

/** A file that is applied is rehearsed first: what was found good a moment ago is not built again. */
const MOST_KEPT = 32

/** Has an engine build an artifact and run what its manifest asks for. Never rejects, and holds nothing afterwards. */
export function createUploadCheck(engines: Engines): (kind: string, artifact: Artifact) => Promise<Answer> {
  const good = new Map<string, JsonObject>()
  return async (kind, artifact) => {
    const key = keyOf(kind, artifact)
    const known = good.get(key)
    if (known !== undefined) return { ok: true, facts: known }
    const answer = await ask(engines, kind, artifact)
    if (!answer.ok) return answer
    good.set(key, answer.facts)
    const [oldest] = good.keys()
    if (good.size > MOST_KEPT && oldest !== undefined) good.delete(oldest)
    return answer
  }
}

async function ask(engines: Engines, kind: string, artifact: Artifact): Promise<Answer> {
  try {
    const request = { config: {}, action: null, instance: null, rule: null, artifact, isUpload: true }
    const prepared = await engines.prepare(kind, request)
    if (!prepared.ok) return prepared
    engines.retire(kind, prepared.state)
    return { ok: true, facts: prepared.facts ?? {} }
  } catch (thrown) {
    return { ok: false, errors: [{ message: thrown instanceof Error ? thrown.message : 'the engine failed' }] }
  }
}

function keyOf(kind: string, { name, version, sha256, manifest, grants, signedBy }: Artifact): string {
  const whole = JSON.stringify([kind, name, version, sha256, manifest, grants, signedBy])
  return createHash('sha256').update(whole).digest('hex')
}
