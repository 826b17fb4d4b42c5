import { GatehouseError } from '../errors.js'

/** One signal for a caller's own and a deadline; `end` must be called, it releases both. */
export interface Deadline {
  readonly signal: AbortSignal
  end(): void
}

export function startDeadline(ms: number, host: string, outer?: AbortSignal): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(() => {
    controller.abort(new GatehouseError('GH_EGRESS_TIMEOUT', { message: `${host} did not answer within ${ms} ms` }))
  }, ms)
  const onAbort = () => controller.abort(outer?.reason)
  if (outer?.aborted) onAbort()
  outer?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      outer?.removeEventListener('abort', onAbort)
    },
  }
}
