import { enter, type Feature, type InSession, type Routed } from '../call.js'
import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import type { Why } from '../domain/feature-judge.js'
import { GatehouseError, HIDDEN } from '../errors.js'
import { isObject } from '../mcp/message.js'
import { checkParamHeaders } from '../mcp/param-headers.js'
import { withoutEnvelope } from '../mcp/translate.js'
import type { Access, Catalog } from '../upstream/catalog-types.js'

/** The methods that mean one feature of one server. */
export const FEATURE_METHODS = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'])

export type Route = (call: InSession) => Routed | Promise<Routed>

/** Finds the server that has the feature, and puts the params in that server's own terms. */
export function createRoute(catalog: Catalog, accessOf: (call: InSession) => Access): Route {
  return (call) => {
    const named = whatIsNamed(call)
    const access = accessOf(call)
    const known = catalog.resolveNow(call.plan, named.kind, named.name, access)
    if (known !== undefined) return lead(call, named, known ?? hidden(call, named, access))
    const asked = catalog.resolve(call.plan, named.kind, named.name, access, call.deadline)
    return asked.then((feature) => lead(call, named, feature ?? hidden(call, named, access)))
  }
  function hidden({ plan }: InSession, { kind, name }: Named, access: Access): Why | null {
    return catalog.whyHidden(plan, kind, name, access)
  }
}

/** What is not found is unknown, or hidden for a reason that only the record is told. */
function lead(call: InSession, named: Named, feature: Feature | Why | null): Routed {
  if (feature === null || typeof feature === 'string') {
    call.trail.feature(named.kind, named.name)
    throw unknownFeature(named, feature)
  }
  call.trail.feature(named.kind, feature.name)
  if (call.era === 'modern' && call.method === 'tools/call' && feature.definition !== null) {
    const { header } = call.credentials
    checkParamHeaders(feature.definition, argumentsOf(call.params), { header, mayMiss: call.tolerated !== null })
  }
  return enter(call, 'routed', { feature, upstreamParams: named.params(feature) })
}

interface Named {
  readonly kind: FeatureKind
  readonly name: string
  readonly params: (feature: Feature) => JsonObject
}

function whatIsNamed(call: InSession): Named {
  const params = withoutEnvelope(call.params)
  switch (call.method) {
    case 'tools/call':
      checkArguments(params)
      return { kind: 'tool', name: text(params, 'name'), params: (feature) => renamed(params, 'name', feature.name) }
    case 'prompts/get':
      checkArguments(params)
      return { kind: 'prompt', name: text(params, 'name'), params: (feature) => renamed(params, 'name', feature.name) }
    case 'resources/read':
    case 'resources/subscribe':
      return { kind: 'resource', name: text(params, 'uri'), params: (feature) => renamed(params, 'uri', feature.name) }
    case 'completion/complete':
      return completion(params)
    default:
      throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD')
  }
}

function completion(params: JsonObject): Named {
  const ref = params.ref
  if (!isObject(ref)) throw new GatehouseError('GH_DOOR_PARAMS', { message: 'params.ref must be an object' })
  const isPrompt = ref.type === 'ref/prompt'
  if (!isPrompt && ref.type !== 'ref/resource')
    throw new GatehouseError('GH_DOOR_PARAMS', { message: "params.ref.type must be 'ref/prompt' or 'ref/resource'" })
  const key = isPrompt ? 'name' : 'uri'
  return {
    kind: isPrompt ? 'prompt' : 'resource',
    name: text(ref, key),
    params: (feature) => ({ ...params, ref: renamed(ref, key, feature.name) }),
  }
}

function text(from: JsonObject, key: string): string {
  const value = from[key]
  if (typeof value !== 'string' || value === '')
    throw new GatehouseError('GH_DOOR_PARAMS', { message: `params.${key} must be a string` })
  return value
}

function checkArguments(params: JsonObject): void {
  if (params.arguments !== undefined && !isObject(params.arguments))
    throw new GatehouseError('GH_DOOR_PARAMS', { message: 'params.arguments must be an object' })
}

const argumentsOf = (params: JsonObject): JsonObject => (isObject(params.arguments) ? params.arguments : {})

const renamed = (params: JsonObject, key: string, value: string): JsonObject =>
  params[key] === value ? params : { ...params, [key]: value }

/** Hidden and unknown are the same answer: it names only what the client itself named. */
export function unknownFeature(
  named: { readonly kind: FeatureKind; readonly name: string },
  why: Why | null = null,
): GatehouseError {
  const detail = why === null ? {} : { detail: `${HIDDEN} ${why}` }
  const shown = named.name.slice(0, 200)
  return named.kind === 'resource'
    ? new GatehouseError('GH_ROUTE_RESOURCE', {
        message: `Resource not found: ${shown}`,
        data: { uri: named.name },
        ...detail,
      })
    : new GatehouseError('GH_ROUTE_FEATURE', { message: `Unknown ${named.kind}: ${shown}`, ...detail })
}
