import type { JsonObject } from '@gatehouse/sdk'
import { randomUUID } from 'node:crypto'
import { MAY_ASK } from '../bridge/modern-client.js'
import type { RequestStates } from '../bridge/request-state.js'
import { subjectOf } from '../bridge/subject.js'
import type { InSession, Routed } from '../call.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { lacks } from '../upstream/ability.js'

export interface ConnectOptions {
  readonly states: Pick<RequestStates, 'seal'>
  /** Our public URL, without a trailing slash. */
  readonly publicUrl: () => string
}

/**
 * What a client is told whose person has to give a credential first. One of the modern era that can open a URL is asked to, and
 * then makes the call again: answered is that result. One of 2025-11-25 gets the error for it, any other the link in words.
 */
export type Connect = (call: InSession, thrown: unknown) => JsonObject

export function createConnect({ states, publicUrl }: ConnectOptions): Connect {
  return (inSession, thrown) => {
    const error = asGatehouseError(thrown)
    const call = routed(inSession)
    if (call === null || !needsCredential(error) || !mayHelp(call)) throw thrown
    const url = linkOf(publicUrl(), call)
    const message = `${error.message.replace(/\.$/, '')}. Open ${url} to give it, then try again.`
    const data = { ...error.data, server: call.feature.assignment.prefix, url }
    const params = { mode: 'url', url, message: error.message }
    if (!canOpen(call)) throw told(error.code, { error, message, data })
    if (call.era === 'modern') {
      // Whoever comes back and has still not given it is told so, instead of being sent again.
      if (!MAY_ASK.has(call.method) || call.params.requestState !== undefined)
        throw told(error.code, { error, message, data })
      const state = { kind: 'again', round: 1, correlationId: call.trail.correlationId } as const
      return {
        resultType: 'input_required',
        inputRequests: { connect: { method: 'elicitation/create', params } },
        requestState: states.seal(state, subjectOf(call)),
      }
    }
    const elicitations = [{ ...params, elicitationId: randomUUID() }]
    throw told('GH_FORWARD_URL', { error, message, data: { ...data, elicitations } })
  }
}

/** A call stays one object: what was found out about it before it was refused is there. */
const routed = (call: InSession | Routed): Routed | null => ('feature' in call ? call : null)

const needsCredential = ({ code, data }: GatehouseError): boolean =>
  code === 'GH_FORWARD_CONNECT' || (code === 'GH_UPSTREAM_AUTH' && data?.['httpStatus'] === 401)

/** A credential of the server's own, and one that nobody chose, are no business of whoever calls. */
function mayHelp({ feature }: Routed): boolean {
  const { assignment, identity } = feature.assignment
  return assignment.scheme.kind === 'per-user' || (assignment.scheme.kind === 'shared' && identity !== null)
}

const canOpen = ({ ability }: Routed): boolean => lacks(ability, 'elicitation/create', { mode: 'url' }) === null

function linkOf(base: string, { plan, feature }: Routed): string {
  return `${base}/connect/identity/${encodeURIComponent(plan.gateway.slug)}/${encodeURIComponent(feature.assignment.prefix)}`
}

function told(
  code: GatehouseError['code'],
  { error, message, data }: { error: GatehouseError; message: string; data: Readonly<Record<string, unknown>> },
): GatehouseError {
  const { detail } = error
  return new GatehouseError(code, { message, data, cause: error, ...(detail === undefined ? {} : { detail }) })
}
