import type { CallContext } from '@gatehouse/sdk'
import { isModernOrLater } from '../mcp/versions.js'
import type { Subject } from '../rules/engines.js'
import type { Input } from './inputs.js'
import type { StoredCall } from './stored.js'

/** What the record knows of a call. */
export type CallFacts = Pick<
  StoredCall,
  'id' | 'root_id' | 'method' | 'rpc_id' | 'version' | 'user_id' | 'user_email' | 'host_id' | 'host_name'
> & { readonly connection_id?: string | null }

export interface Told {
  readonly call: CallFacts
  readonly input: Omit<Input, 'kept'>
  readonly gateway: CallContext['gateway']
}

/** A leg of the record as rules are asked about it. */
export function subjectOf(told: Told): Subject {
  const { prefix, serverSlug, kind, shape, feature } = told.input
  return {
    prefix,
    serverSlug,
    kind,
    feature,
    ...(shape === undefined ? {} : { shape }),
    context: () => contextOf(told),
    header: () => undefined,
  }
}

/** What an engine is told of a call; headers and what identity plugins added were never kept. */
function contextOf({ call, input, gateway }: Told): CallContext {
  return {
    correlationId: call.root_id ?? call.id,
    method: call.method ?? 'tools/call',
    rpcId: call.rpc_id,
    era: call.version !== null && isModernOrLater(call.version) ? 'modern' : 'legacy',
    gateway,
    server: { id: input.serverId, slug: input.serverSlug },
    feature: { kind: input.kind, name: input.feature },
    user: call.user_id === null ? null : { id: call.user_id, email: call.user_email ?? '' },
    host: { id: call.host_id ?? '', name: call.host_name ?? '' },
    connection: call.connection_id ? { id: call.connection_id } : null,
    attributes: {},
  }
}
