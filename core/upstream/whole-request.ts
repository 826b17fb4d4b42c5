import type { UpstreamRequest } from './types.js'

type Whole<T> = { readonly [Key in keyof Required<T>]: T[Key] }

/** A request with every field, so that all of them have one shape. */
export type WholeRequest = Whole<UpstreamRequest>

/**
 * The same request with other listeners. Written out, here and wherever each call makes one: a spread of so many fields is
 * forty times slower, and what it leaves behind outlives its call by far.
 */
export function listenedTo(
  request: UpstreamRequest,
  { onNotification, conversation }: Pick<WholeRequest, 'onNotification' | 'conversation'>,
): WholeRequest {
  return {
    method: request.method,
    params: request.params,
    deadline: request.deadline,
    hardDeadline: request.hardDeadline,
    signal: request.signal,
    progressToken: request.progressToken,
    paramHeaders: request.paramHeaders,
    onNotification,
    flow: request.flow,
    onCut: request.onCut,
    conversation,
    logLevel: request.logLevel,
  }
}
