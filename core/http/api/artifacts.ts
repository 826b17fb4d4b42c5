import type { JsonObject } from '@gatehouse/sdk'
import { z } from 'zod'
import { addVersion, createArtifact, removeArtifact, updateArtifact } from '../../configuration/nouns/artifacts.js'
import { artifactShape, ArtifactPatch, bytes, Signature, slug } from '../../configuration/schemas.js'
import { invalid, strict } from '../../configuration/problems.js'
import { asGatehouseError } from '../../errors.js'
import { mustExist } from '../../configuration/work.js'
import type { Work } from '../../configuration/work.js'
import { inBase64, MOST_MODULE } from '../../domain/artifacts.js'
import { ArtifactAnswer, ArtifactRow, OneVersionAnswer } from './answers.js'
import { seeArtifact, seeArtifacts, seeVersion } from './artifact-views.js'
import { versionOperations } from './artifact-versions.js'
import { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'
import { pageOf, PageQuery, pageThrough } from './pages.js'

/** Whoever writes rules sees what there is to name. */
export const SEE_ARTIFACTS = ['manageRuleModules', 'basicGatewayManagement']
/** The longest module in base64, and a manifest. */
const MOST_UPLOAD = inBase64(MOST_MODULE) + 2 * 1024 * 1024

const upload = {
  module: bytes.describe('the bytes, in base64'),
  manifest: z
    .record(z.string(), z.unknown())
    .describe('what stands beside the module, letter by letter as it was signed'),
  signature: Signature.optional().describe('Ed25519 over the canonical JSON (RFC 8785) of the manifest'),
  makeCurrent: z.boolean().optional().describe('rules that name no version run it from now on'),
}
const Create = strict({
  slug: slug.optional().describe('the name of the manifest, unless told'),
  ...artifactShape,
  ...upload,
})
const AddVersion = strict({
  ...upload,
  grants: artifactShape.grants.describe('what it is granted from now on, in place of what it was'),
})
type Create = z.output<typeof Create>

/** The modules of rules, and whatever else engines run: versions, signatures, canaries. */
export function artifactOperations(options: ApiOptions): Operation[] {
  const { store, mutations } = options
  const found = (call: unknown) => mustExist(store.artifacts, 'artifact', (call as ApiCall).params['id'] ?? '')
  /** What an engine takes seconds to build is built before anybody waits for it. */
  const change = async <T>({ actor }: Pick<ApiCall, 'actor'>, work: (work: Work) => Promise<T>): Promise<T> => {
    await mutations.rehearse(actor, work).catch((thrown: unknown) => {
      // Of what others change meanwhile only the change itself knows the end.
      if (asGatehouseError(thrown).code !== 'GH_API_CONFLICT') throw thrown
    })
    return mutations.change(actor, work)
  }
  return [
    operation({
      id: 'listArtifacts',
      method: 'get',
      path: '/artifacts',
      summary: 'Lists the modules that rules may name.',
      need: SEE_ARTIFACTS,
      query: PageQuery,
      output: pageOf(ArtifactRow),
      handle: async ({ query, caller }) => {
        const see = await seeArtifacts(options, caller)
        return pageThrough(await store.artifacts.all(), query, see)
      },
    }),
    operation({
      id: 'getArtifact',
      method: 'get',
      path: '/artifacts/{id}',
      summary: 'Shows one with its versions, by id or name.',
      need: SEE_ARTIFACTS,
      output: ArtifactAnswer,
      handle: async (call) => seeArtifact(options, await found(call), call.caller),
    }),
    operation({
      id: 'createArtifact',
      method: 'post',
      path: '/artifacts',
      summary: 'Uploads a module under a new name. Its engine builds it and runs the examples of its manifest first.',
      need: NEEDS.artifacts.create,
      input: Create,
      mostBytes: MOST_UPLOAD,
      output: ArtifactAnswer,
      handle: async (call) => seeArtifact(options, await change(call, (work) => create(work, call.input)), call.caller),
    }),
    operation({
      id: 'updateArtifact',
      method: 'patch',
      path: '/artifacts/{id}',
      summary:
        'Makes another version current (swap, or with previous: rollback), starts or ends (null) a canary, sets grants.',
      need: NEEDS.artifacts.update,
      input: ArtifactPatch,
      output: ArtifactAnswer,
      handle: async (call) => {
        const { id } = await found(call)
        const changed = await mutations.change(call.actor, (work) => updateArtifact(work, id, call.input))
        return seeArtifact(options, changed, call.caller)
      },
    }),
    operation({
      id: 'deleteArtifact',
      method: 'delete',
      path: '/artifacts/{id}',
      summary: 'Removes a module, with all its versions, that no rule names.',
      need: NEEDS.artifacts.remove,
      handle: async (call) => {
        const { id } = await found(call)
        await mutations.change(call.actor, (work) => removeArtifact(work, id))
      },
    }),
    operation({
      id: 'createArtifactVersion',
      method: 'post',
      path: '/artifacts/{id}/versions',
      summary:
        'Uploads another version, and grants with it. The same bytes with the same manifest are the version that is there.',
      need: NEEDS.artifacts.update,
      input: AddVersion,
      mostBytes: MOST_UPLOAD,
      output: OneVersionAnswer,
      handle: async (call) => {
        const { id } = await found(call)
        const { grants, ...given } = call.input
        const added = await change(call, async (work) => {
          // What it is granted counts for what is uploaded.
          if (grants !== undefined) await updateArtifact(work, id, { grants })
          return addVersion(work, id, uploadOf(given))
        })
        return seeVersion(options, await found(call), added.version)
      },
    }),
    ...versionOperations(options),
  ]
}

async function create(work: Work, { slug: given, engine, grants, ...rest }: Create) {
  if (rest.makeCurrent === false) throw invalid('makeCurrent', 'the first version is the current one')
  const name = slug.safeParse(given ?? rest.manifest['name'])
  if (!name.success) throw invalid('slug', 'is needed: the manifest has no name that would do')
  return createArtifact(work, name.data, { ...uploadOf(rest), engine, grants })
}

const uploadOf = ({ module, manifest, ...rest }: Omit<z.output<typeof AddVersion>, 'grants'>) => ({
  ...rest,
  module,
  // It came as JSON.
  manifest: manifest as JsonObject,
})
