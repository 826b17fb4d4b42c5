import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { createParkedCalls, type ParkedLimits } from './parked-calls.js'
import { Suspended } from './suspended.js'
import { ABLE, elicit, heldCall, legOf, sample } from './testing.js'

const parkedWith = (limits: Partial<ParkedLimits> = {}) => createParkedCalls(() => limits)

/** A call that has asked and is about to sleep. */
async function sleepy(question = elicit('Name?')) {
  const call = heldCall()
  const suspended = new Suspended(ABLE, 'me')
  suspended.start(call.send)
  const leg = suspended.leg(legOf())
  void call.ask(question)
  await leg
  return { call, suspended }
}
const MINE = { user: 'me', server: 'crm', mayGoOn: async () => true }

test('a call is taken once, by who has the answers to its last questions', async () => {
  const parked = parkedWith()
  const { call, suspended } = await sleepy()
  assert.ok(parked.park(suspended, MINE))
  assert.is(parked.take(suspended.id, 0), null)
  assert.is(parked.take(suspended.id, 2), null)
  assert.is(parked.take('another', 1), null)
  assert.is(parked.take(suspended.id, 1), suspended)
  assert.is(parked.take(suspended.id, 1), null)
  assert.is(parked.size, 0)
  assert.not(call.isCancelled)
})

test('a call that nobody comes back to ends at its server', async () => {
  const parked = parkedWith({ person: 30 })
  const { call, suspended } = await sleepy()
  parked.park(suspended, MINE)
  await until('it is given up', () => call.isCancelled || undefined)
  assert.is(parked.size, 0)
  assert.is(parked.take(suspended.id, 1), null)
})

test('a person is waited for longer than a machine', async () => {
  const parked = parkedWith({ machine: 30 })
  const [person, machine] = [await sleepy(), await sleepy(sample('Greet'))]
  parked.park(person.suspended, MINE)
  parked.park(machine.suspended, MINE)
  await until('the machine is given up', () => machine.call.isCancelled || undefined)
  assert.not(person.call.isCancelled)
  parked.stop()
})

test('a call that was taken is not given up by the time it slept, and sleeps anew with a time of its own', async () => {
  const parked = parkedWith({ person: 40 })
  const [taken, left] = [await sleepy(), await sleepy()]
  parked.park(taken.suspended, MINE)
  assert.is(parked.take(taken.suspended.id, 1), taken.suspended)
  parked.park(left.suspended, MINE)
  await until('the other is given up', () => left.call.isCancelled || undefined)
  assert.not(taken.call.isCancelled)
  taken.suspended.cancel()
})

test('one more than a user may have, at a server or in all, ends the one that sleeps longest', async () => {
  const parked = parkedWith({ perServer: 2, perUser: 3 })
  const calls = await Promise.all(Array.from({ length: 6 }, () => sleepy()))
  const cancelled = () => calls.map(({ call }) => call.isCancelled)
  const park = (at: number, server: string, user = 'me') =>
    parked.park(calls[at]?.suspended as Suspended, { ...MINE, user, server })
  for (const at of [0, 1]) park(at, 'crm')
  assert.equal(cancelled(), [false, false, false, false, false, false])
  park(2, 'crm')
  assert.equal(cancelled(), [true, false, false, false, false, false])
  park(3, 'chat')
  park(4, 'mail')
  assert.equal(cancelled(), [true, true, false, false, false, false])
  park(5, 'crm', 'you')
  assert.equal(cancelled(), [true, true, false, false, false, false])
  assert.is(parked.size, 4)
  parked.stop()
  assert.is(parked.size, 0)
  assert.equal(cancelled(), [true, true, true, true, true, true])
})

test('a call that would not be let in any more ends where it sleeps, and no other', async () => {
  const parked = parkedWith()
  const [mine, other] = [await sleepy(), await sleepy()]
  let isIn = true
  parked.park(mine.suspended, { ...MINE, mayGoOn: async () => isIn })
  parked.park(other.suspended, MINE)
  await parked.recheck()
  assert.is(parked.size, 2)
  isIn = false
  await parked.recheck()
  assert.equal([mine.call.isCancelled, other.call.isCancelled, parked.size], [true, false, 1])
  parked.stop()
})

test('a full replica takes no more, and ends nobody for it', async () => {
  const parked = parkedWith({ perReplica: 1 })
  const [one, other] = [await sleepy(), await sleepy()]
  assert.ok(parked.park(one.suspended, MINE))
  assert.not(parked.park(other.suspended, { user: 'you', server: 'crm', mayGoOn: MINE.mayGoOn }))
  assert.not(one.call.isCancelled || other.call.isCancelled)
  parked.stop()
})

test('a limit that is changed counts for the next call, and wakes nobody', async () => {
  const limits = { perUser: 2 }
  const parked = createParkedCalls(() => limits)
  const sleepers = [await sleepy(), await sleepy(), await sleepy()]
  for (const { suspended } of sleepers.slice(0, 2)) parked.park(suspended, MINE)
  limits.perUser = 1
  assert.is(parked.size, 2)
  assert.ok(parked.park(sleepers[2]!.suspended, MINE))
  assert.equal(
    sleepers.map(({ call }) => call.isCancelled),
    [true, true, false],
  )
  parked.stop()
})

test('in a full replica a user may still put a new call in the place of an own old one', async () => {
  const parked = parkedWith({ perReplica: 1, perServer: 1 })
  const [one, other] = [await sleepy(), await sleepy()]
  parked.park(one.suspended, MINE)
  assert.ok(parked.park(other.suspended, MINE))
  assert.ok(one.call.isCancelled)
  parked.stop()
})

test.run()
