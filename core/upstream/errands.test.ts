import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import type { Snapshot } from '../domain/snapshot.js'
import { asGatehouseError } from '../errors.js'
import { NO_ABILITY } from './ability.js'
import { plan } from './catalog-testing.js'
import type { NoAccess } from './catalog-types.js'
import { createErrands, type Errand } from './errands.js'

/** A call at the first server of a gateway, whose credential stands as the test says. */
function bench() {
  const house = plan(['crm'])
  const [assigned] = house.assignments
  if (assigned === undefined) throw new Error('a gateway of a test has a server')
  const state: { access: NoAccess | null; isThere: boolean } = { access: null, isThere: true }
  const gateways = () => new Map(state.isThere ? [[house.gateway.id, house]] : [])
  const errands = createErrands({
    current: () => ({ gateways: gateways() }) as unknown as Snapshot,
    credentials: { access: () => ({ target: () => state.access ?? ({} as never) }) },
  })
  const errand: Errand = {
    ...{ gatewayId: house.gateway.id, assignmentId: assigned.assignment.id, serverId: assigned.server.id },
    ...{ prefix: assigned.prefix, principal: {} as never, ability: NO_ABILITY },
  }
  const gone = new Cancel()
  const heard = { cancelled: false }
  const outcome = errands
    .run(errand, gone, (signal) => {
      signal.addEventListener('abort', () => (heard.cancelled = true))
      return new Promise<string>((resolve) => gone.addEventListener('abort', () => resolve('given up')))
    })
    .catch((thrown: unknown) => asGatehouseError(thrown).code)
  return { state, errands, errand, gone, heard, outcome }
}

const OFF: NoAccess = { state: 'disabled', reason: 'off' }

for (const [what, change] of [
  ['switched off', { access: OFF }],
  ['taken off the gateway', { isThere: false }],
  ['called with an identity that is gone', { access: { state: 'connect_required', reason: 'none' } }],
] as const)
  test(`a call at a server that is ${what} ends, and the server is told`, async () => {
    const { state, errands, errand, heard, outcome } = bench()
    errands.recheck()
    assert.not(errands.isOff(errand) || heard.cancelled, 'not before')
    Object.assign(state, change)
    assert.ok(errands.isOff(errand))
    errands.recheck()
    assert.is(await outcome, 'GH_PERMIT_DISABLED')
    assert.ok(heard.cancelled)
  })

test('a credential that must be given anew ends nothing that it began', async () => {
  const { state, errands, gone, heard, outcome } = bench()
  state.access = { state: 'connect_required', reason: 'expired', lastSeenAs: 'slot' }
  errands.recheck()
  assert.not(heard.cancelled)
  gone.tell()
  assert.is(await outcome, 'given up')
})

test('that nobody waits any more is passed on, and what has ended is not ended again', async () => {
  const { state, errands, gone, heard, outcome } = bench()
  gone.tell()
  assert.ok(heard.cancelled)
  assert.is(await outcome, 'given up')
  heard.cancelled = false
  state.access = OFF
  errands.recheck()
  assert.not(heard.cancelled)
})

test.run()
