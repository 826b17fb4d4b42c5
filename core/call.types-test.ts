import type { Answered, Authenticated, Inbound, Inspected, InSession, Permitted, Released, Routed } from './call.js'
import type { Rooms } from './pipeline.js'
import type { Aside } from './rooms/forward.js'

/** Each room takes what the one before it gave; no room can be skipped, and none entered twice. */
export function rooms(
  house: Rooms,
  way: {
    inbound: Inbound
    authenticated: Authenticated
    inSession: InSession
    routed: Routed
    permitted: Permitted
    inspected: Inspected
    answered: Answered
    released: Released
    aside: Aside
  },
): void {
  void house.forward(way.inspected, way.aside)
  // @ts-expect-error without authentication there is no session
  void house.session(way.inbound)
  // @ts-expect-error without a session, or the certainty that none is needed, nothing is routed
  void house.route(way.authenticated)
  // @ts-expect-error a list is for those who are known
  void house.list(way.inbound)
  // @ts-expect-error and whose session is known
  void house.list(way.authenticated)
  // @ts-expect-error an own answer likewise
  void house.answer(way.authenticated)
  // @ts-expect-error what is not routed cannot be permitted
  house.permit(way.inSession)
  // @ts-expect-error what is not permitted is not looked at
  void house.inspectRequest(way.routed)
  // @ts-expect-error what is only routed is not forwarded
  void house.forward(way.routed, way.aside)
  // @ts-expect-error what no rule has seen is not forwarded
  void house.forward(way.permitted, way.aside)
  // @ts-expect-error notes come back for what was inspected
  house.relay(way.permitted)
  // @ts-expect-error there is no answer to look at yet
  void house.inspectResponse(way.inspected)
  // @ts-expect-error an answer that no rule has seen is not given to the client
  house.respond.released(way.answered)
  // @ts-expect-error what was answered is not forwarded again
  void house.forward(way.answered, null)
  // @ts-expect-error what was released is not looked at again
  void house.inspectResponse(way.released)
}
