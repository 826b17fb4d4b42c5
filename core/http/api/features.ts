import { z } from 'zod'
import { approveFeature, assignmentOf, rejectFeature, undoFeature } from '../../configuration/nouns/features.js'
import { PROVISIONING_CAPABILITY, provisioningOf } from '../../configuration/nouns/provisioning.js'
import { parse, strict } from '../../configuration/problems.js'
import { assignmentShape, Pinning, reference } from '../../configuration/schemas.js'
import { pinningOf } from '../../configuration/nouns/provisioning.js'
import { diffOf } from '../../domain/feature-diff.js'
import { sha256 } from '../../domain/feature-hash.js'
import type { Assignment, Gateway } from '../../domain/nouns.js'
import type { FeatureEvent, FeatureKey, FeatureRecord } from '../../domain/store.js'
import { FeatureAnswer, FeatureEventAnswer, PreviewAnswer } from './answers.js'
import { reachableGateway, SEE_GATEWAYS } from './gateways.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'
import { pageOf, PageQuery, pageThrough } from './pages.js'

/** What of a server exists on a gateway, and which definitions of it are trusted. */

const need = PROVISIONING_CAPABILITY
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 that the feature is shown with')
const Decision = strict({ sha256: hash, note: z.string().max(1_000).optional() })
const Preview = strict({
  identity: z
    .union([z.literal('own'), strict({ shared: reference })], { error: 'must be own or { shared: <identity> }' })
    .optional(),
  tools: assignmentShape.tools,
  prompts: assignmentShape.prompts,
  resources: assignmentShape.resources,
  pinning: Pinning.optional(),
})
const Kind = z.enum(['tool', 'prompt', 'resource', 'template'], { error: 'must be tool, prompt, resource or template' })
/** What names a feature of each kind. */
const IDS = { tool: 'name', prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const

export function featureOperations({ store, mutations, preview, onDecided }: ApiOptions): Operation[] {
  const server = '/gateways/{id}/servers/{part}'
  const feature = `${server}/features/{kind}/{name}`
  const placeOf = async (call: unknown): Promise<{ gateway: Gateway; assignment: Assignment }> => {
    const known = call as ApiCall
    const gateway = await reachableGateway(store, known, known.params['id'] ?? '')
    return { gateway, assignment: await assignmentOf(store, gateway, known.params['part'] ?? '') }
  }
  const keyOf = async (call: unknown): Promise<{ gateway: Gateway; key: FeatureKey }> => {
    const { params } = call as ApiCall
    const { gateway, assignment } = await placeOf(call)
    const kind = parse(Kind, params['kind'])
    return { gateway, key: { gatewayId: gateway.id, assignmentId: assignment.id, kind, name: params['name'] ?? '' } }
  }
  const decided = async ({ gateway, key }: { gateway: Gateway; key: FeatureKey }, record: FeatureRecord) => {
    await onDecided(key, record.version)
    return showFeature(gateway, record)
  }
  return [
    operation({
      id: 'listFeatures',
      method: 'get',
      path: `${server}/features`,
      summary:
        'Lists the features of a server that were recorded since they are pinned, with what waits for a decision.',
      need: SEE_GATEWAYS,
      query: PageQuery,
      output: pageOf(FeatureAnswer),
      handle: async (call) => {
        const { gateway, assignment } = await placeOf(call)
        const rows = await store.features.ofAssignment(gateway.id, assignment.id)
        const shown = rows.map((row) => showFeature(gateway, row))
        return pageThrough(shown, call.query, (row) => row)
      },
    }),
    operation({
      id: 'featureHistory',
      method: 'get',
      path: `${feature}/history`,
      summary: 'What was seen of a feature and decided on it, newest first.',
      need: SEE_GATEWAYS,
      query: PageQuery,
      output: pageOf(FeatureEventAnswer),
      handle: async (call) => {
        const { key } = await keyOf(call)
        return pageThrough(await store.features.history(key), call.query, (event) => event)
      },
    }),
    operation({
      id: 'approveFeature',
      method: 'post',
      path: `${feature}/approve`,
      summary: 'Trusts the definition of this hash, which must have been seen, and no other from now on.',
      need,
      input: Decision,
      output: FeatureAnswer,
      handle: async (call) => {
        const place = await keyOf(call)
        return decided(place, await mutations.change(call.actor, (work) => approveFeature(work, place.key, call.input)))
      },
    }),
    operation({
      id: 'rejectFeature',
      method: 'post',
      path: `${feature}/reject`,
      summary: 'Never lets the definition of this hash through.',
      need,
      input: Decision,
      output: FeatureAnswer,
      handle: async (call) => {
        const place = await keyOf(call)
        return decided(place, await mutations.change(call.actor, (work) => rejectFeature(work, place.key, call.input)))
      },
    }),
    operation({
      id: 'undoFeature',
      method: 'post',
      path: `${feature}/undo`,
      summary: 'Takes back the last approval: what was trusted before is trusted again.',
      need,
      input: strict({}),
      output: FeatureAnswer,
      handle: async (call) => {
        const place = await keyOf(call)
        return decided(place, await mutations.change(call.actor, (work) => undoFeature(work, place.key)))
      },
    }),
    operation({
      id: 'previewFeatures',
      method: 'post',
      path: `${server}/preview`,
      summary:
        'Asks the server now, as you or with a shared identity, what it has, and says what of it exists, and why.',
      need,
      input: Preview,
      output: PreviewAnswer,
      handle: async (call) => {
        const { gateway, assignment } = await placeOf(call)
        const { identity = null, pinning, ...draft } = call.input
        return preview({
          caller: call.caller,
          gatewayId: gateway.id,
          assignmentId: assignment.id,
          identity: identity === null || identity === 'own' ? identity : identity.shared,
          provisioning: provisioningOf(draft, assignment.provisioning),
          pinning: pinningOf(pinning, gateway.pinning),
        })
      },
    }),
  ]
}

function showFeature({ pinning }: Gateway, record: FeatureRecord) {
  const { kind, name, version, sha256: trusted, definition, decidedBy, decidedAt, refused, waiting } = record
  return {
    id: `${kind}-${sha256(name).slice(0, 16)}`,
    ...{ kind, name, version, decidedBy, decidedAt, refused },
    state: stateOf(record, pinning.onChange),
    sha256: trusted,
    definition,
    waiting: waiting === null ? null : { ...showEvent(waiting), diff: showDiff(record, waiting) },
  }
}

function stateOf({ waiting, refused, sha256 }: FeatureRecord, onChange: Gateway['pinning']['onChange']) {
  // What looks poisoned may be another thing than what is trusted as well: then the pin hides it.
  const isOther = sha256 !== null && waiting !== null && waiting.sha256 !== sha256 && onChange === 'quarantine'
  if (waiting?.event === 'suspected') return isOther || refused.includes(waiting.sha256) ? 'quarantined' : 'kept'
  if (sha256 === null) return 'pending'
  if (waiting === null) return 'approved'
  return waiting.event === 'changed' && onChange === 'alert' && !refused.includes(waiting.sha256)
    ? 'kept'
    : 'quarantined'
}

const showEvent = ({ id, event, version, sha256, note, by, at, definition }: FeatureEvent) => {
  return { id, event, version, sha256, note, by, at, definition }
}

function showDiff({ kind, definition }: FeatureRecord, { definition: after }: FeatureEvent) {
  return after === null ? [] : diffOf(definition, after, IDS[kind])
}
