import { breachesOf, isObject, type LawOptions } from './answer-laws.js'
import { PEOPLE, type Person } from './canaries.js'
import { answerOf, initialize, type Message } from './client-messages.js'
import { requestOf, type Sent } from './client-requests.js'
import { quoted, Wires, type Finding } from './crew.js'
import { eventsOf } from './events.js'
import type { FuzzHouse } from './house.js'
import { mutate, oddOf, writeOdd } from './odd-json.js'
import type { Random } from './random.js'
import type { Heard, Watch } from './wire.js'

/** So long is a stream listened to that has no end of its own. */
const LISTEN_MS = 15

export interface TalkOptions {
  /** How often the client goes away instead of answering what it is asked, and how often it answers wrongly first. */
  readonly leaves: number
  readonly errs: number
  readonly laws?: LawOptions
  readonly onQuestion?: (person: Person, id: string) => void
  /** The session of somebody else, who answers first what is none of their business. */
  readonly meddler?: (victim: Person) => { readonly person: Person; readonly session: string } | null
}

export interface Turn {
  readonly number: number
  readonly random: Random
}

/** The connections of all three people to the house: sends, listens, and answers what is asked. */
export class Talk {
  readonly #wires: Readonly<Record<Person, Wires>>

  constructor(
    readonly house: FuzzHouse,
    private readonly options: TalkOptions,
  ) {
    this.#wires = Object.fromEntries(PEOPLE.map((person) => [person, new Wires(house.port)])) as Record<Person, Wires>
  }

  stop(): void {
    for (const wires of Object.values(this.#wires)) wires.stop()
  }

  async openSession(person: Person, version: string): Promise<string> {
    const heard = await this.ask(requestOf(this.house.callers[person], initialize('open', version)))
    const id = heard.headers.get('mcp-session-id')
    if (id === undefined) throw new Error(`no session: ${heard.status} ${heard.body.toString('utf8')}`)
    return id
  }

  async ask(sent: Sent, watch?: Watch): Promise<Heard & { readonly stray: string | null }> {
    const wires = this.#wires[sent.person]
    const wire = await wires.take()
    const heard = await wire.ask(sent.bytes, sent.patienceMs, watch)
    // Where a request was never whole, the next one would be read as its rest.
    if (sent.mayBeCut) wire.leave()
    return { ...heard, stray: wires.give(wire) }
  }

  /** One request to its end, with whatever is asked meanwhile; what breaks a law is told. */
  async exchange(sent: Sent, turn: Turn): Promise<{ readonly heard: Heard; readonly found: Finding | null }> {
    const side: Promise<Finding | null>[] = []
    const heard = await this.ask(sent, this.#watch(sent, side, turn))
    const aside = (await Promise.all(side)).find((found) => found !== null)
    const breaches = [...this.#judge(sent, heard), ...(heard.stray === null ? [] : [heard.stray])]
    return { heard, found: breaches.length === 0 ? (aside ?? null) : findingOf(turn.number, breaches, sent, heard) }
  }

  #judge(sent: Sent, heard: Heard): readonly string[] {
    return breachesOf(sent, heard, this.options.laws)
  }

  /** Answers what is asked on a stream, and leaves those that never end. */
  #watch(sent: Sent, side: Promise<Finding | null>[], turn: Turn): Watch {
    let asked = 0
    let isTimed = false
    return ({ headers, body }, leave) => {
      if (!headers.get('content-type')?.startsWith('text/event-stream')) return
      if (sent.lasts && !isTimed) setTimeout(leave, LISTEN_MS)
      isTimed = true
      const questions = eventsOf(body).map(readJson).filter(isQuestion)
      for (const { id } of questions.slice(asked)) {
        this.options.onQuestion?.(sent.person, id)
        if (turn.random.chance(this.options.leaves)) leave()
        else side.push(this.#answer(sent, id, turn))
      }
      asked = questions.length
    }
  }

  /** An answer that is wrong in some way, often, and then the right one: the call must come to its end. */
  async #answer(sent: Sent, id: string, { number, random }: Turn): Promise<Finding | null> {
    const { person } = sent
    const session = /mcp-session-id: (\S+)/.exec(sent.bytes.toString('latin1'))?.[1]
    const right = answerTo(id, { person, session, number })
    const good = requestOf(this.house.callers[person], right)
    const meddler = random.chance(this.options.errs) ? this.options.meddler?.(person) : null
    const meddled = meddler ? [requestOf(this.house.callers[meddler.person], answerTo(id, { ...meddler, number }))] : []
    const texts = random.chance(this.options.errs) ? [writeOdd(mutate(oddOf(right.body), random))] : []
    const wrong = texts.map((text) => withBody(good, Buffer.from(text)))
    for (const one of [...meddled, ...wrong, good]) {
      const heard = await this.ask(one)
      const breaches = this.#judge(one, heard)
      if (breaches.length > 0) return findingOf(number, breaches, one, heard)
    }
    return null
  }
}

/** With the canary of whoever gives it. */
function answerTo(id: string, turn: { person: Person; session: string | undefined; number: number }): Message {
  return {
    body: { jsonrpc: '2.0', id, result: answerOf(turn) },
    headers: turn.session === undefined ? [] : [['mcp-session-id', turn.session]],
  }
}

const isQuestion = (value: unknown): value is { readonly id: string } =>
  isObject(value) && typeof value['method'] === 'string' && typeof value['id'] === 'string'

export const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function withBody(sent: Sent, body: Buffer): Sent {
  const head = sent.bytes.subarray(0, sent.bytes.length - sent.body.length).toString('latin1')
  const changed = head.replace(/content-length: \d+/, `content-length: ${body.length}`)
  return { ...sent, body, bytes: Buffer.concat([Buffer.from(changed, 'latin1'), body]) }
}

export function findingOf(number: number, breaches: readonly string[], sent: Sent, heard: Heard): Finding {
  const hidden = sent.bytes.toString('latin1').replace(/Bearer API_\S+/, 'Bearer <token>')
  const head = [...heard.headers].map(([name, value]) => `${name}: ${value}`).join('; ')
  const sentence = `${heard.status} (${heard.end}) ${head}`
  return {
    number,
    breaches,
    shown: `  sent ${quoted(Buffer.from(hidden, 'latin1'))}\n  came ${sentence} ${quoted(heard.body)}`,
  }
}
