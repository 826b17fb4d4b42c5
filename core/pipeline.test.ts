import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inbound } from './call.js'
import { GatehouseError } from './errors.js'
import { createPipeline, type Rooms } from './pipeline.js'
import { Trail } from './record/trail.js'
import { createRespond } from './rooms/respond.js'

/** A house whose first room throws. */
async function refusedBy(thrown: unknown, append = () => Promise.resolve()) {
  const told: (readonly [string, GatehouseError])[] = []
  const rooms = {
    authenticate: () => {
      throw thrown
    },
    respond: createRespond(() => 'https://example.com/metadata'),
  } as unknown as Rooms
  const arrival = { at: Date.now(), method: 'ping', rpcId: '1', ip: null, userAgent: null, bytes: 0 }
  const trail = new Trail(arrival, 1_000)
  const call = { id: 1, era: 'legacy', method: 'ping', gatewayName: 'g', fault: null, trail } as unknown as Inbound
  const pipeline = createPipeline(rooms, { append }, (id, error) => told.push([id, error]))
  return { reply: await pipeline(call), told, id: trail.correlationId }
}

test('the log is told of what a client is not: cause of the unforeseen, detail of a refusal', async () => {
  const cause = new TypeError('private')
  const broken = await refusedBy(cause)
  assert.is(broken.reply.status, 500)
  assert.not.match(broken.reply.text ?? '', 'private')
  assert.equal(
    broken.told.map(([id, error]) => [id, error.code, error.cause]),
    [[broken.id, 'GH_INTERNAL', cause]],
  )
  const refused = await refusedBy(new GatehouseError('GH_AUTHENTICATE_INVALID', { detail: 'private' }))
  assert.not.match(refused.reply.text ?? '', 'private')
  assert.equal(
    refused.told.map(([, error]) => error.detail),
    ['private'],
  )
})

test('an answer that cannot be put on record is not given', async () => {
  const full = new GatehouseError('GH_RECORD_FULL')
  const { reply, told } = await refusedBy(new Error('x'), () => Promise.reject(full))
  assert.is(reply.status, 503)
  assert.is(told.at(-1)?.[1], full)
})

test.run()
