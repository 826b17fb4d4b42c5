import type { JsonObject } from '@gatehouse/sdk'
import { Cancel } from '../domain/cancel-signal.js'
import type { CancelSignal } from '../domain/cancel-signal.js'
import { Roll } from '../domain/roll.js'
import type { GatehouseError } from '../errors.js'
import type { OnProgress, Question, QuestionAnswer } from '../mcp/questions.js'
import { fault } from './faults.js'
import { isObject } from './message.js'
import type { RpcNote } from './message.js'
import type { UpstreamRequest } from './types.js'

const LONGEST_TIMER = 2_147_483_647

/** Whoever waits for a call. */
interface Ends {
  readonly giveUp: (error: GatehouseError) => void
  readonly moved: (deadline: number) => void
}

const NOBODY: Ends = Object.freeze({ giveUp() {}, moved() {} })

/**
 * One request under way: its own id, which is its progress token too, and its deadline. Once it has ended it holds on to
 * nothing, so that whatever still knows of it (a connection, its last request) does not keep the whole call alive.
 */
export class Call {
  place = -1
  readonly #started = Date.now()
  #request: UpstreamRequest
  #ends: Ends
  #deadline: number
  #hardDeadline: number
  #onAbort: (() => void) | undefined
  /** The server's questions that wait for an answer. */
  #questions: Set<Cancel> | undefined
  /** How many questions keep the clock from running, and since when the first does. */
  #holds = 0
  #heldAt = 0

  constructor(
    readonly id: number,
    request: UpstreamRequest,
    private readonly slug: string,
    ends: Ends,
  ) {
    this.#request = request
    this.#ends = ends
    this.#deadline = request.deadline
    this.#hardDeadline = request.hardDeadline ?? request.deadline
    if (!request.signal) return
    this.#onAbort = () => this.fail(fault('GH_UPSTREAM_CANCELLED', slug, 'was no longer waited for'))
    request.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get request(): UpstreamRequest {
    return this.#request
  }

  get deadline(): number {
    return this.#holds === 0 ? this.#deadline : Infinity
  }

  /** Params as they go on the wire: with our progress token when the client gave one of its own. */
  get params(): JsonObject {
    const { params, progressToken } = this.#request
    if (progressToken === undefined) return params
    const meta = isObject(params['_meta']) ? params['_meta'] : {}
    return { ...params, _meta: { ...meta, progressToken: this.id } }
  }

  /** A note of the server that belongs to this call. Progress of a token that is not ours is dropped. */
  note(note: RpcNote): void {
    if (note.method !== 'notifications/progress') return this.#request.onNotification?.(note)
    const { params } = note
    const token = this.#request.progressToken
    if (token === undefined || !isObject(params) || params['progressToken'] !== this.id) return
    this.#extend()
    this.#request.onNotification?.({ ...note, params: { ...params, progressToken: token } })
  }

  /** Puts a question of the server to whoever made this call; the time that it waits does not count. */
  async ask(question: Question, takenBack: CancelSignal, onProgress?: OnProgress): Promise<QuestionAnswer> {
    const { conversation } = this.#request
    if (conversation === undefined) return { error: NOT_ASKED }
    const cancel = new Cancel()
    const onTakenBack = () => cancel.tell()
    const questions = (this.#questions ??= new Set())
    questions.add(cancel)
    takenBack.addEventListener('abort', onTakenBack, { once: true })
    const release = this.hold()
    try {
      return await conversation.onQuestion(question, cancel, onProgress)
    } finally {
      takenBack.removeEventListener('abort', onTakenBack)
      questions.delete(cancel)
      release()
    }
  }

  /** Stops the clock until what is given back is called, once; then it has its whole span again. */
  hold(): () => void {
    if (this.#holds === 0) this.#heldAt = Date.now()
    this.#holds += 1
    return () => {
      this.#holds -= 1
      if (this.#holds > 0) return
      this.#hardDeadline += Date.now() - this.#heldAt
      this.#extend()
      this.#ends.moved(this.deadline)
    }
  }

  fail(error: GatehouseError): void {
    this.#ends.giveUp(error)
  }

  late(): void {
    const waited = Math.max(0, this.#deadline - this.#started)
    this.fail(fault('GH_UPSTREAM_TIMEOUT', this.slug, `did not answer within ${(waited / 1000).toFixed(1)} s`))
  }

  end(): void {
    if (this.#onAbort) this.#request.signal?.removeEventListener('abort', this.#onAbort)
    this.#onAbort = undefined
    this.#request = ENDED
    this.#ends = NOBODY
    for (const question of [...(this.#questions ?? [])]) question.tell()
  }

  #extend(): void {
    const { deadline } = this.#request
    if (this.#request === ENDED) return
    this.#deadline = Math.max(deadline, Math.min(this.#hardDeadline, Date.now() + deadline - this.#started))
  }
}

const NOT_ASKED = Object.freeze({ code: -32601, message: 'The client cannot be asked in this call' })

const ENDED: UpstreamRequest = Object.freeze({ method: '', params: Object.freeze({}), deadline: 0 })

/** The requests under way on one connection. Ids are integers from 1. */
export interface Calls {
  /** `giveUp` is called at most by the deadline, the caller's signal or `failAll`; end the call in any case. */
  begin(request: UpstreamRequest, giveUp: (error: GatehouseError) => void): Call
  end(call: Call): void
  /** The calls whose clients can be asked. */
  conversing(): readonly Call[]
  /** Stops the clocks of those, for a question that may be of any of them. */
  hold(): () => void
  /** Gives a progress note to the call whose token it carries; false when there is none. */
  progress(note: RpcNote): boolean
  failAll(error: GatehouseError): void
  readonly size: number
}

export function createCalls(slug: string): Calls {
  const open = new Roll<Call>()
  const find = (id: unknown) => open.find((call) => call.id === id)
  const conversing = () => open.all().filter((call) => call.request.conversation !== undefined)
  const clock = createClock(open)
  let next = 1
  return {
    begin(request, giveUp) {
      const call = new Call(next++, request, slug, { giveUp, moved: clock.mind })
      open.add(call)
      clock.mind(call.deadline)
      return call
    },
    end(call) {
      call.end()
      open.delete(call)
    },
    conversing,
    hold() {
      const releases = conversing().map((call) => call.hold())
      return () => releases.forEach((release) => release())
    },
    progress(note) {
      const call = isObject(note['params']) ? find(note['params']['progressToken']) : undefined
      if (note.method !== 'notifications/progress' || !call) return false
      call.note(note)
      return true
    },
    failAll(error) {
      for (const call of open.all()) call.fail(error)
    },
    get size() {
      return open.size
    },
  }
}

/** One timer for all open calls, set for the first deadline: most calls end long before theirs and never touch it. */
function createClock(open: Roll<Call>): { mind(deadline: number): void } {
  let timer: NodeJS.Timeout | undefined
  let due = Infinity
  const ring = () => {
    const now = Date.now()
    due = Infinity
    for (const call of open.all()) {
      if (call.deadline <= now) call.late()
      else mind(call.deadline)
    }
  }
  const mind = (deadline: number) => {
    if (deadline >= due) return
    due = deadline
    clearTimeout(timer)
    timer = setTimeout(ring, Math.min(Math.max(0, deadline - Date.now()), LONGEST_TIMER))
    timer.unref()
  }
  return { mind }
}
