import type { FeatureRequest, FeatureResponse, JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import type { Bus } from './bus.js'

interface Within {
  readonly deadline?: number
  readonly parent: () => AbortSignal
}

/** The params as the plugins leave them; throws GH_INSPECT_BLOCKED. */
export async function featureRequest(bus: Bus, payload: FeatureRequest, within: Within): Promise<JsonObject> {
  const passed = await bus.sequential('feature.request', payload, within)
  if (passed.blocked) throw blockedBy(passed)
  return passed.payload.params
}

/** The same of a result. The call's own deadline may be long over: it does not count the time that a question waits. */
export async function featureResponse(
  bus: Bus,
  payload: FeatureResponse,
  parent: Within['parent'],
): Promise<JsonObject> {
  const passed = await bus.sequential('feature.response', payload, { parent })
  if (passed.blocked) throw blockedBy(passed)
  return passed.payload.result
}

/** What a plugin made into something else is neither asked nor answered. */
export function mangled(): never {
  throw new GatehouseError('GH_INSPECT_BLOCKED', { message: 'A plugin left nothing of it', detail: 'undecided' })
}

const blockedBy = (passed: { readonly plugin: string; readonly reason: string; readonly failed: boolean }) =>
  new GatehouseError('GH_INSPECT_BLOCKED', {
    message: passed.reason,
    detail: passed.failed ? 'undecided' : passed.plugin,
  })
