import { LEGACY_VERSIONS } from '../../mcp/versions.js'
import { keyOf, nonceOf, PEOPLE, type Person } from './canaries.js'
import { nameOf } from './canary-features.js'
import { legacyRequest, modernRequest, type Seen } from './client-messages.js'
import { drawRequest, requestOf } from './client-requests.js'
import type { Finding } from './crew.js'
import type { FuzzHouse } from './house.js'
import type { Case } from './plan.js'
import type { Random } from './random.js'
import { findingOf, Talk } from './talk.js'
import { drawTheft, plainAsk } from './theft.js'
import type { Heard } from './wire.js'

const SLOTS = 6

/** The clients of all three people, who send what they should and what they should not. */
export class Clients {
  readonly #seen: Seen
  readonly #talk: Talk

  constructor(private readonly house: FuzzHouse) {
    const each = <T>() => Object.fromEntries(PEOPLE.map((person) => [person, []])) as unknown as Record<Person, T[]>
    this.#seen = { sessions: each(), states: each(), questions: each(), plain: each(), events: ['0.0.0'] }
    const onQuestion = (person: Person, id: string) => remember(this.#seen.questions[person], id)
    const meddler = (victim: Person) => {
      const person = PEOPLE[(PEOPLE.indexOf(victim) + 1) % PEOPLE.length] ?? 'mia'
      return { person, session: this.#seen.sessions[person][0] ?? '' }
    }
    this.#talk = new Talk(house, { leaves: 0.15, errs: 0.5, onQuestion, meddler })
  }

  async open(): Promise<void> {
    for (const person of PEOPLE) for (let slot = 0; slot < SLOTS; slot += 1) await this.#openSession(person, slot)
  }

  stop(): void {
    this.#talk.stop()
  }

  /** One case: most are mutated, some are not and must be served; people keep apart by their numbers. */
  async run(one: Case): Promise<Finding | null> {
    const { number, random } = one
    const person = PEOPLE[number % PEOPLE.length] ?? 'mia'
    if (random.chance(0.02)) await this.#openSession(person, 1 + random.int(SLOTS - 1))
    if (random.chance(0.1)) return this.#control(person, number, random)
    if (random.chance(0.02)) return this.#askPlainly(person, one)
    if (random.chance(0.06)) return this.#steal(person, one)
    const sent = drawRequest(this.house.callers[person], { number, random, seen: this.#seen })
    const { heard, found } = await this.#talk.exchange(sent, one)
    this.#learn(person, heard)
    return found
  }

  async #openSession(person: Person, slot: number): Promise<void> {
    const version = slot === 0 ? '2025-11-25' : (LEGACY_VERSIONS[slot % LEGACY_VERSIONS.length] ?? '2025-11-25')
    this.#seen.sessions[person][slot] = await this.#talk.openSession(person, version)
  }

  /** A call that nothing is wrong with is answered with its own words, whatever else goes on. */
  async #control(person: Person, number: number, random: Random): Promise<Finding | null> {
    const server = random.pick(['modern', 'legacy'] as const)
    const params = { name: nameOf(server, 'act'), arguments: { nonce: nonceOf(person, number) } }
    const message = random.chance(0.5)
      ? modernRequest(number, 'tools/call', params)
      : legacyRequest(number, 'tools/call', params, this.#seen.sessions[person][0])
    const sent = requestOf(this.house.callers[person], message)
    const { heard, found } = await this.#talk.exchange(sent, { number, random })
    const text = heard.body.toString('utf8')
    const isServed = heard.status === 200 && text.includes(nonceOf(person, number)) && text.includes(keyOf(person))
    return isServed ? found : findingOf(number, ['a call that nothing is wrong with was not served'], sent, heard)
  }

  /** Leaves a state behind that others try to use. */
  async #askPlainly(person: Person, one: Case): Promise<Finding | null> {
    const server = one.random.pick(['modern', 'legacy'] as const)
    const sent = requestOf(this.house.callers[person], plainAsk(server, one.number))
    const { heard, found } = await this.#talk.exchange(sent, one)
    const [requestState] = STATE.exec(heard.body.toString('utf8')) ?? []
    if (requestState !== undefined) remember(this.#seen.plain[person], { server, requestState })
    return requestState === undefined ? findingOf(one.number, ['no state was given'], sent, heard) : found
  }

  async #steal(person: Person, one: Case): Promise<Finding | null> {
    const { number, random } = one
    const { sent, refused } = drawTheft(this.house.callers[person], { number, random, seen: this.#seen })
    const { heard, found } = await this.#talk.exchange(sent, one)
    return refused(heard) ? found : findingOf(number, ['what is another’s was not refused'], sent, heard)
  }

  #learn(person: Person, { headers, body }: Heard): void {
    const session = headers.get('mcp-session-id')
    if (session !== undefined) this.#seen.sessions[person][SLOTS - 1] = session
    const text = body.toString('utf8')
    for (const [state] of text.matchAll(new RegExp(STATE, 'g'))) remember(this.#seen.states[person], state)
    for (const [, id] of text.matchAll(/^id: ?(\S+)$/gm)) if (id !== undefined) remember(this.#seen.events, id)
  }
}

const STATE = /gh1\.[\w-]{4}\.[\w-]+/

function remember<T>(list: T[], item: T): void {
  list.push(item)
  if (list.length > 50) list.shift()
}
