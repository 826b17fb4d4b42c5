import type { Routed } from '../call.js'
import { isObject } from '../mcp/message.js'
import type { StateSubject } from './request-state.js'

/** The request that a call is, as its client made it: before any rule, so that the same request has the same subject. */
export function subjectOf(call: Omit<Routed, 'room'>): StateSubject {
  const { principal, plan, feature, method, params } = call
  return {
    user: principal.user?.id ?? principal.connection.id,
    host: principal.host.id,
    gateway: plan.gateway.id,
    server: feature.assignment.server.id,
    assignment: feature.assignment.assignment.id,
    method,
    feature: feature.name,
    arguments: isObject(params.arguments) ? params.arguments : undefined,
  }
}
