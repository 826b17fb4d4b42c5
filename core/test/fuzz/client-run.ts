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
import type { Heard } from './wire.js'

const SLOTS = 6

/** The clients of all three people, who send what they should and what they should not. */
export class Clients {
  readonly #seen: Seen
  readonly #talk: Talk

  constructor(private readonly house: FuzzHouse) {
    const each = () => Object.fromEntries(PEOPLE.map((person) => [person, []])) as unknown as Record<Person, string[]>
    this.#seen = { sessions: each(), states: each(), questions: each(), events: ['0.0.0'] }
    const onQuestion = (person: Person, id: string) => remember(this.#seen.questions[person], id)
    this.#talk = new Talk(house, { leaves: 0.15, errs: 0.5, onQuestion })
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

  #learn(person: Person, { headers, body }: Heard): void {
    const session = headers.get('mcp-session-id')
    if (session !== undefined) this.#seen.sessions[person][SLOTS - 1] = session
    const text = body.toString('utf8')
    for (const [state] of text.matchAll(/gh1\.[\w-]{4}\.[\w-]+/g)) remember(this.#seen.states[person], state)
    for (const [, id] of text.matchAll(/^id: ?(\S+)$/gm)) if (id !== undefined) remember(this.#seen.events, id)
  }
}

function remember(list: string[], item: string): void {
  list.push(item)
  if (list.length > 50) list.shift()
}
