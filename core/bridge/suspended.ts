import { randomBytes } from 'node:crypto'
import type { JsonObject } from '@gatehouse/sdk'
import { Cancel, type CancelSignal } from '../domain/cancel-signal.js'
import { isObject } from '../mcp/message.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import { lacks, type Ability } from '../upstream/ability.js'
import type { UpstreamReply, UpstreamRequest } from '../upstream/types.js'
import { withoutId } from './input-requests.js'

/** One HTTP request of the client, for whose length the call is awake. */
export interface Leg {
  /** What its client can do, who may have declared less than when the call began. */
  readonly ability: Ability
  readonly progressToken: string | number | undefined
  readonly onNote: ((note: JsonObject) => void) | null
  readonly gone: CancelSignal
}

export type LegEnd =
  | { readonly kind: 'reply'; readonly reply: UpstreamReply }
  | { readonly kind: 'asks'; readonly questions: ReadonlyMap<string, Question> }

/** What of the upstream request is not the leg's own. */
export type Started = Pick<UpstreamRequest, 'signal' | 'progressToken' | 'onNotification' | 'conversation'>

/** Questions that a server puts side by side arrive one by one: so long the first waits for the others. */
const GATHER_MS = 15
/** Ours on the wire towards the server; the client's own changes with each leg. */
const TOKEN = 'leg'

type Outcome = { readonly reply: UpstreamReply } | { readonly error: unknown }

interface Waiting {
  readonly question: Question
  readonly answer: (answer: QuestionAnswer) => void
}

/**
 * A call to a legacy server for a client of the modern era. The server may ask in the middle of it: then the client's
 * request ends with the questions, and the call sleeps until a new request brings the answers.
 */
export class Suspended {
  readonly id = randomBytes(12).toString('base64url')
  /** Rises with each set of questions: an older set is not answered twice. */
  round = 0
  #leg: Leg | null = null
  #outcome: Outcome | null = null
  #gathered = false
  #gathering: NodeJS.Timeout | undefined
  #wake: () => void = () => {}
  #names = 0
  readonly #waiting = new Map<string, Waiting>()
  readonly #cancel = new Cancel()

  /** `whose`: who may be asked by what the server remembers of this call. */
  constructor(
    private readonly ability: Ability,
    private readonly whose: string,
  ) {}

  get methods(): readonly string[] {
    return [...this.#waiting.values()].map(({ question }) => question.method)
  }

  start(send: (started: Started) => Promise<UpstreamReply>): void {
    const conversation = {
      party: null,
      whose: this.whose,
      onQuestion: (question: Question, signal: CancelSignal) => this.#ask(question, signal),
    }
    const onNotification = (note: JsonObject) => this.#heard(note)
    send({ signal: this.#cancel, progressToken: TOKEN, onNotification, conversation }).then(
      (reply) => this.#end({ reply }),
      (error: unknown) => this.#end({ error }),
    )
  }

  /** Answers what is known by that name; what is not answered is asked again. */
  answer(answers: ReadonlyMap<string, JsonObject>): void {
    for (const [name, result] of answers) {
      this.#waiting.get(name)?.answer({ result })
      this.#waiting.delete(name)
    }
  }

  /** Answers in the client's name that nobody will. */
  refuse(names: Iterable<string>): void {
    for (const name of names) {
      const waiting = this.#waiting.get(name)
      this.#waiting.delete(name)
      if (waiting?.question.method === 'elicitation/create') waiting.answer({ result: { action: 'cancel' } })
      else waiting?.answer({ error: { code: -32603, message: 'The client has too many questions open' } })
    }
  }

  /** Wakes the call for one request: until the server has answered, or asks. Throws what the call threw. */
  async leg(leg: Leg): Promise<LegEnd> {
    const onGone = () => this.cancel()
    this.#leg = leg
    leg.gone.addEventListener('abort', onGone, { once: true })
    if (leg.gone.aborted) this.cancel()
    try {
      while (this.#outcome === null) {
        const unable = [...this.#waiting].filter(([, { question }]) => isBeyond(leg.ability, question))
        this.refuse(unable.map(([name]) => name))
        // One that is given up has an outcome in a moment.
        if (this.#waiting.size > 0 && this.#gathered && !this.#cancel.aborted) return this.#asks()
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
      if ('error' in this.#outcome) throw this.#outcome.error
      return { kind: 'reply', reply: this.#outcome.reply }
    } finally {
      leg.gone.removeEventListener('abort', onGone)
      this.#leg = null
    }
  }

  /** Gives the call up, awake or asleep; the server is told. */
  cancel(): void {
    this.#cancel.tell()
  }

  #asks(): LegEnd {
    this.round += 1
    return { kind: 'asks', questions: new Map([...this.#waiting].map(([name, { question }]) => [name, question])) }
  }

  #ask(question: Question, signal: CancelSignal): Promise<QuestionAnswer> {
    if (isBeyond(this.ability, question))
      return Promise.resolve({ error: { code: -32601, message: `The client has not declared '${question.method}'` } })
    const name = `q${(this.#names += 1)}`
    return new Promise((resolve) => {
      // What the server took back is not asked any more, and its answer goes nowhere.
      const takenBack = () => {
        this.#waiting.delete(name)
        resolve({ error: { code: -32603, message: 'The question was taken back' } })
      }
      if (signal.aborted) return takenBack()
      signal.addEventListener('abort', takenBack, { once: true })
      this.#waiting.set(name, { question: withoutId(question), answer: resolve })
      this.#gather()
    })
  }

  #gather(): void {
    this.#gathered = false
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      this.#gathered = true
      this.#wake()
    }, GATHER_MS)
  }

  #heard(note: JsonObject): void {
    const leg = this.#leg
    if (leg === null || leg.onNote === null) return
    if (note.method !== 'notifications/progress') return leg.onNote(note)
    // Progress goes to whoever asks for it now: each request of the client has a token of its own.
    if (leg.progressToken === undefined || !isObject(note.params)) return
    leg.onNote({ ...note, params: { ...note.params, progressToken: leg.progressToken } })
  }

  #end(outcome: Outcome): void {
    clearTimeout(this.#gathering)
    this.#outcome = outcome
    this.#waiting.clear()
    this.#wake()
  }
}

const isBeyond = (ability: Ability, { method, params }: Question): boolean => lacks(ability, method, params) !== null
