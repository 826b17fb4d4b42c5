import type { JsonObject } from '@gatehouse/sdk'
import { isObject } from './answer-laws.js'
import { nonceOf, numbersIn, PEOPLE, type Person } from './canaries.js'
import { answerOf, legacyRequest, modernRequest, type Message } from './client-messages.js'
import { impatient, requestOf, type Sent } from './client-requests.js'
import type { Finding } from './crew.js'
import { eventsOf } from './events.js'
import type { FuzzHouse } from './house.js'
import type { Case } from './plan.js'
import { findingOf, readJson, Talk } from './talk.js'
import type { Heard } from './wire.js'

const MOST_ROUNDS = 3

export interface CallersOptions {
  /** The public names of the tools that are called. */
  readonly tools: readonly string[]
  /** How often a client goes away before it was answered. */
  readonly leaves: number
  /** How often a modern client can be asked: before a legacy server each such call has a session, or a process, of its own. */
  readonly able: number
}

/** Clients that do all as they should, before servers that do not. */
export class Callers {
  readonly #talk: Talk
  readonly #sessions: Partial<Record<Person, string>> = {}
  #served = 0

  constructor(
    private readonly house: FuzzHouse,
    private readonly options: CallersOptions,
  ) {
    this.#talk = new Talk(house, { leaves: 0.1, errs: 0.1, laws: { anyCode: true } })
  }

  /** How many calls were answered by a result. */
  get served(): number {
    return this.#served
  }

  async open(): Promise<void> {
    for (const person of PEOPLE) this.#sessions[person] = await this.#talk.openSession(person, '2025-11-25')
  }

  stop(): void {
    this.#talk.stop()
  }

  /** One call, over as many rounds as its server asks for answers. */
  async run(one: Case): Promise<Finding | null> {
    const { number, random } = one
    const person = PEOPLE[number % PEOPLE.length] ?? 'mia'
    const name = random.pick(this.options.tools)
    const { found, isServed } = await this.#call(one, person, name)
    if (isServed) this.#served += 1
    if (found !== null || isServed) return found
    // A server that fails again and again is not called for a while, and the cases to come would not reach it.
    return (await this.#good(person, one, name)).found
  }

  async #call({ number, random }: Case, person: Person, name: string): Promise<Called> {
    const era = random.pick(['modern', 'legacy', 'stateless'] as const)
    const meta: JsonObject = random.chance(0.6)
      ? { _meta: { progressToken: random.pick([0, '', 'token', number]) } }
      : {}
    const params = {
      name,
      arguments: { nonce: nonceOf(person, number), case: number },
      ...meta,
    }
    const capabilities = random.chance(this.options.able) ? undefined : {}
    let more: JsonObject = {}
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const message: Message =
        era === 'modern'
          ? modernRequest(number, 'tools/call', { ...params, ...more }, capabilities)
          : legacyRequest(number, 'tools/call', params, era === 'legacy' ? this.#sessions[person] : undefined)
      const whole = requestOf(this.house.callers[person], message)
      // A client that was sent to a URL is made to wait when it comes back; some go away in any case.
      const isShort = 'requestState' in more ? random.chance(0.3) : random.chance(this.options.leaves)
      const sent = isUrl(more) || isShort ? impatient(whole, random.int(60)) : whole
      const { heard, found } = await this.#talk.exchange(sent, { number, random })
      const finding = found ?? strangers(sent, heard, number)
      const asked = askedIn(heard, { person, number })
      if (finding !== null || asked === null) return { found: finding, isServed: heard.body.includes('"result":') }
      more = asked
    }
    return { found: null, isServed: true }
  }

  /** Whether a call without fault is served now. */
  async isServed(person: Person, one: Case, name: string): Promise<boolean> {
    return (await this.#good(person, one, name)).isServed
  }

  async #good(person: Person, { number, random }: Case, name: string): Promise<Called> {
    const nonce = nonceOf(person, number)
    const message = modernRequest(number, 'tools/call', { name, arguments: { nonce } }, {})
    const sent = requestOf(this.house.callers[person], message)
    const { heard, found } = await this.#talk.exchange(sent, { number, random })
    const isServed = heard.status === 200 && heard.body.includes('"result"') && heard.body.includes(nonce)
    return { found: found ?? strangers(sent, heard, number), isServed }
  }
}

interface Called {
  readonly found: Finding | null
  readonly isServed: boolean
}

/** Nothing of any other call, not even of one's own. */
function strangers(sent: Sent, heard: Heard, number: number): Finding | null {
  const others = [...numbersIn(heard.body.toString('utf8'))].filter((found) => found !== number)
  return others.length === 0 ? null : findingOf(number, [`words of call ${others.join()} are shown`], sent, heard)
}

/** The gateway names a URL `u1`, `u2`; any other server may do so too. */
const isUrl = ({ inputResponses }: JsonObject): boolean => isObject(inputResponses) && 'u1' in inputResponses

/** What has to be sent along in the next round; null when the answer is one. */
function askedIn({ body, headers }: Heard, turn: { person: Person; number: number }): JsonObject | null {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') ?? false
  const last = readJson(isStream ? (eventsOf(body).at(-1) ?? '') : body.toString('utf8'))
  const result = isObject(last) ? last['result'] : undefined
  if (!isObject(result) || result['resultType'] !== 'input_required') return null
  const { inputRequests, requestState } = result
  const keys = isObject(inputRequests) ? Object.keys(inputRequests) : []
  return {
    inputResponses: Object.fromEntries(keys.map((key) => [key, answerOf(turn)])),
    ...(typeof requestState === 'string' ? { requestState } : {}),
  }
}
