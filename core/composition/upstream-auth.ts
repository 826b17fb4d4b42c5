import { GatehouseError } from '../errors.js'
import { createEnrolment } from '../http/connect/enrolment.js'
import { type House, PARTS } from './house.js'

/** As whom servers are called, and how people give what that needs. */
export function layUpstreamAuth(house: House): void {
  house.make(PARTS.enrolment, (h) =>
    createEnrolment({
      store: h.get(PARTS.store),
      mutations: h.get(PARTS.configuration).mutations,
      begin: () =>
        Promise.reject(new GatehouseError('GH_FORWARD_CONNECT', { message: 'This sign-in cannot be begun yet.' })),
    }),
  )
}
