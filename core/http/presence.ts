import type { Principal } from '@gatehouse/sdk'
import type { LegacySession } from '../call.js'
import type { Ask } from '../mcp/questions.js'
import { clientInfoOf } from '../mcp/translate.js'
import { hasResumption } from '../mcp/versions.js'
import type { CallGone } from './gone.js'
import { type Arrived, takesEvents } from './inbound.js'
import type { Flight } from './flights.js'
import { cannotAsk } from './session-lines.js'
import type { Visit } from './visit.js'

/** That a message is under way: begins when it is known whose it is, ends with its answer. */
export class Presence {
  readonly gone: CallGone
  readonly #visit: Visit
  readonly #arrived: Arrived
  readonly #welcome: ((principal: Principal) => void) | undefined
  #flight: Flight | undefined
  #leavePlace: (() => void) | undefined

  /** `welcome` is told first whose it is; what it throws refuses the message. */
  constructor(visit: Visit, arrived: Arrived, welcome?: (principal: Principal) => void) {
    this.#visit = visit
    this.#arrived = arrived
    this.#welcome = welcome
    this.gone = arrived.batched ? visit.gone.branch() : visit.gone
  }

  /** Its client can be told and asked things before the answer. Several that came together share one answer. */
  get hasLine(): boolean {
    return !this.#arrived.batched && takesEvents(this.#visit)
  }

  /** Its client took it back. */
  get isTakenBack(): boolean {
    return this.#flight?.cancelled ?? false
  }

  readonly ask: Ask = (question, how) =>
    this.#flight === undefined ? cannotAsk() : this.#visit.options.lines.askOn(this.#flight, question, how)

  readonly joins = (principal: Principal, session: LegacySession | null, correlationId: string): void => {
    this.#welcome?.(principal)
    const { options } = this.#visit
    const { item } = this.#arrived
    if (item.kind !== 'request') return
    if (item.era === 'modern' && item.message.method === 'subscriptions/listen')
      this.#leavePlace = options.places.take(principal.user?.id ?? principal.connection.id)
    this.#tellFaults(principal, session)
    if (session === null) return
    this.#visit.session = session
    const line = this.hasLine ? () => this.#visit.openStream() : null
    // Whoever waits long shall be able to come back, and proxies shall see that it lives.
    const dueAt = line !== null && hasResumption(session.version) ? Date.now() + options.lines.patience : Infinity
    const { id } = item.message
    const { gone } = this
    this.#flight = { session, id, correlationId, since: 0, gone, line, dueAt, cancelled: false, place: -1 }
    options.lines.enter(this.#flight)
  }

  #tellFaults({ connection }: Principal, session: LegacySession | null): void {
    const { onTolerated } = this.#visit.options
    const { item, headers } = this.#arrived
    if (item.kind !== 'request') return
    if (item.tolerated !== undefined)
      onTolerated({
        tolerance: item.tolerated,
        connectionId: connection.id,
        client: clientInfoOf(item.message.params, 'modern').name,
      })
    if (session !== null && headers.version !== undefined && headers.version !== session.version)
      onTolerated({ tolerance: 'other-version', connectionId: connection.id, client: session.client.name })
  }

  leave(): void {
    this.#leavePlace?.()
    if (this.#flight !== undefined) this.#visit.options.lines.leave(this.#flight)
  }
}
