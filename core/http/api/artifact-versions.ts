import type { JsonObject } from '@gatehouse/sdk'
import { z } from 'zod'
import { pruneVersions, removeVersion } from '../../configuration/nouns/artifacts.js'
import { invalid, strict } from '../../configuration/problems.js'
import { absent, mustExist } from '../../configuration/work.js'
import { type ArtifactVersion, findVersion, readVersion, type StoredArtifact } from '../../domain/artifacts.js'
import { ArtifactVersionAnswer, ModuleAnswer, OneVersionAnswer } from './answers.js'
import { seeVersion, seeVersions } from './artifact-views.js'
import { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'

const see = ['manageRuleModules', 'basicGatewayManagement']
const path = '/artifacts/{id}/versions'

/** The uploads of an artifact one by one. A version is named by its number, or by `sha256:` and the digest of its bytes. */
export function versionOperations(options: ApiOptions): Operation[] {
  const { store, mutations } = options
  const found = (call: unknown) => mustExist(store.artifacts, 'artifact', (call as ApiCall).params['id'] ?? '')
  return [
    operation({
      id: 'listArtifactVersions',
      method: 'get',
      path,
      summary: 'Lists the versions of a module, the newest first.',
      need: see,
      output: z.object({ items: z.array(ArtifactVersionAnswer) }),
      handle: async (call) => {
        const artifact = await found(call)
        return { items: await seeVersions(options, artifact, await store.artifacts.versions(artifact.id)) }
      },
    }),
    operation({
      id: 'getArtifactVersion',
      method: 'get',
      path: `${path}/{version}`,
      summary: 'Shows one with its manifest and what its engine found out at the upload.',
      need: see,
      output: OneVersionAnswer,
      handle: async (call) => {
        const artifact = await found(call)
        return seeVersion(options, artifact, (await versionOf(options, artifact, call)).version)
      },
    }),
    operation({
      id: 'getArtifactModule',
      method: 'get',
      path: `${path}/{version}/module`,
      summary: 'Gives the bytes back, with manifest and signature.',
      need: 'manageRuleModules',
      output: ModuleAnswer,
      handle: async (call) => {
        const artifact = await found(call)
        const { version, sha256, signature } = await versionOf(options, artifact, call)
        const { manifest } = await store.artifacts.content(artifact.id, version)
        const module = Buffer.from(await store.artifacts.bytes(artifact.id, version)).toString('base64')
        return { sha256, module, manifest: JSON.parse(manifest) as JsonObject, signature }
      },
    }),
    operation({
      id: 'deleteArtifactVersion',
      method: 'delete',
      path: `${path}/{version}`,
      summary: 'Removes a version that is neither current nor a canary, and that no rule names.',
      need: NEEDS.artifacts.remove,
      handle: async (call) => {
        const artifact = await found(call)
        const { version } = await versionOf(options, artifact, call)
        await mutations.change(call.actor, (work) => removeVersion(work, artifact.id, { version }))
      },
    }),
    operation({
      id: 'pruneArtifactVersions',
      method: 'post',
      path: '/artifacts/{id}/prune',
      summary: 'Removes old versions that nothing names; the last settings.ruleModules.keepVersions stay.',
      need: NEEDS.artifacts.remove,
      input: strict({ keep: z.int().min(0).max(1_000).optional() }),
      output: z.object({ removed: z.array(z.int()) }),
      handle: async (call) => {
        const { id } = await found(call)
        const keep = call.input.keep ?? (await store.settings.get()).ruleModules.keepVersions
        return { removed: await mutations.change(call.actor, (work) => pruneVersions(work, id, keep)) }
      },
    }),
  ]
}

async function versionOf({ store }: ApiOptions, artifact: StoredArtifact, call: unknown): Promise<ArtifactVersion> {
  const text = (call as ApiCall).params['version'] ?? ''
  const at = readVersion(text)
  if (at === null) throw invalid('version', 'must be a number, or sha256: and 64 hex digits')
  const found = findVersion(await store.artifacts.versions(artifact.id), at)
  if (found === undefined) throw absent('version', `${artifact.slug}@${text}`)
  return found
}
