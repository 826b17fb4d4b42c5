import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { createStreamPlaces } from './stream-places.js'

function refused(take: () => unknown): GatehouseError {
  try {
    take()
  } catch (thrown) {
    if (thrown instanceof GatehouseError) return thrown
  }
  throw new Error('it should have been refused')
}

test('there are as many places as there are, and one that is left can be taken again', () => {
  const places = createStreamPlaces({ most: 2, perUser: () => 10 })
  const leave = places.take()
  places.take('mia')
  const { code, data } = refused(() => places.take())
  assert.equal([code, data?.['retryAfterMs']], ['GH_DOOR_BUSY', 30_000])
  leave()
  leave()
  places.take()
  refused(() => places.take())
})

test('a user has a number of places, which takes none from others', () => {
  let most = 1
  const places = createStreamPlaces({ perUser: () => most })
  const leave = places.take('mia')
  refused(() => places.take('mia'))
  places.take('max')
  places.take()
  most = 2
  places.take('mia')
  refused(() => places.take('mia'))
  leave()
  places.take('mia')
})

test.run()
