import type { JsonObject } from '@gatehouse/sdk'
import type { GatehouseError } from '../errors.js'
import { fault } from './faults.js'
import { isObject } from './message.js'
import type { RpcNote } from './message.js'
import type { UpstreamRequest } from './types.js'

const LONGEST_TIMER = 2_147_483_647

/** One request under way: its own id, which is its progress token too, and its clock. */
export class Call {
  readonly #started = Date.now()
  #deadline: number
  #timer: NodeJS.Timeout | undefined
  readonly #onAbort: (() => void) | undefined

  constructor(
    readonly id: number,
    readonly request: UpstreamRequest,
    private readonly slug: string,
    private readonly giveUp: (error: GatehouseError) => void,
  ) {
    this.#deadline = request.deadline
    this.#arm()
    if (!request.signal) return
    this.#onAbort = () => this.giveUp(fault('GH_UPSTREAM_CANCELLED', slug, 'was no longer waited for'))
    request.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Params as they go on the wire: with our progress token when the client gave one of its own. */
  get params(): JsonObject {
    const { params, progressToken } = this.request
    if (progressToken === undefined) return params
    const meta = isObject(params['_meta']) ? params['_meta'] : {}
    return { ...params, _meta: { ...meta, progressToken: this.id } }
  }

  /** A note of the server that belongs to this call. Progress of a token that is not ours is dropped. */
  note(note: RpcNote): void {
    if (note.method !== 'notifications/progress') return this.request.onNotification?.(note)
    const { params } = note
    const token = this.request.progressToken
    if (token === undefined || !isObject(params) || params['progressToken'] !== this.id) return
    this.#extend()
    this.request.onNotification?.({ ...note, params: { ...params, progressToken: token } })
  }

  fail(error: GatehouseError): void {
    this.giveUp(error)
  }

  end(): void {
    clearTimeout(this.#timer)
    if (this.#onAbort) this.request.signal?.removeEventListener('abort', this.#onAbort)
  }

  #extend(): void {
    const { deadline, hardDeadline } = this.request
    if (hardDeadline === undefined) return
    this.#deadline = Math.max(deadline, Math.min(hardDeadline, Date.now() + deadline - this.#started))
  }

  #arm(): void {
    const left = Math.max(0, this.#deadline - Date.now())
    this.#timer = setTimeout(() => this.#ring(), Math.min(left, LONGEST_TIMER))
  }

  #ring(): void {
    if (Date.now() < this.#deadline) return this.#arm()
    const waited = Math.max(0, this.#deadline - this.#started)
    this.giveUp(fault('GH_UPSTREAM_TIMEOUT', this.slug, `did not answer within ${(waited / 1000).toFixed(1)} s`))
  }
}

/** The requests under way on one connection. Ids are integers from 1. */
export interface Calls {
  /** `giveUp` is called at most by the deadline, the caller's signal or `failAll`; end the call in any case. */
  begin(request: UpstreamRequest, giveUp: (error: GatehouseError) => void): Call
  end(call: Call): void
  get(id: unknown): Call | undefined
  /** Gives a progress note to the call whose token it carries; false when there is none. */
  progress(note: RpcNote): boolean
  failAll(error: GatehouseError): void
  readonly size: number
}

export function createCalls(slug: string): Calls {
  const open = new Map<unknown, Call>()
  let next = 1
  return {
    begin(request, giveUp) {
      const call = new Call(next++, request, slug, giveUp)
      open.set(call.id, call)
      return call
    },
    end(call) {
      call.end()
      open.delete(call.id)
    },
    get: (id) => open.get(id),
    progress(note) {
      const call = isObject(note['params']) ? open.get(note['params']['progressToken']) : undefined
      if (note.method !== 'notifications/progress' || !call) return false
      call.note(note)
      return true
    },
    failAll(error) {
      for (const call of [...open.values()]) call.fail(error)
    },
    get size() {
      return open.size
    },
  }
}
