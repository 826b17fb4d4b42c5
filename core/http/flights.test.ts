import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../test/until.js'
import { Flights, type Flight } from './flights.js'
import { CallGone } from './gone.js'

const SESSION = {
  id: 's',
  version: '2025-11-25',
  connectionId: 'c',
  gatewayId: 'g',
  client: { name: null, version: null },
  capabilities: {},
  logLevel: null,
  subscriptions: [],
}

function flightDue(dueAt: number, opened: string[], id: string): Flight {
  const line = () => (opened.push(id), { must() {}, onClosed: () => () => {} })
  return {
    session: SESSION,
    id,
    correlationId: `of ${id}`,
    gone: new CallGone(),
    line,
    dueAt,
    since: 0,
    cancelled: false,
    place: -1,
  }
}

test('whoever waits past its time gets a stream once, in the order in which they are due; whoever has left gets none', async () => {
  const flights = new Flights()
  const opened: string[] = []
  const now = Date.now()
  const left = flightDue(now + 15, opened, 'left')
  for (const flight of [
    flightDue(now + 60, opened, 'late'),
    left,
    flightDue(now + 30, opened, 'soon'),
    flightDue(Infinity, opened, 'never'),
  ])
    flights.enter(flight)
  flights.leave(left)
  await until('both have streams', () => (opened.length >= 2 ? true : undefined))
  const last = flightDue(Date.now() + 20, opened, 'last')
  flights.enter(last)
  await until('a later one has its own', () => (opened.includes('last') ? true : undefined))
  assert.equal(opened, ['soon', 'late', 'last'])
  flights.stop()
})

test.run()
