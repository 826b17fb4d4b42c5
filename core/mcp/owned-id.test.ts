import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { newReplicaId, ownerOf } from './owned-id.js'

test('an id names the replica that made it', () => {
  for (const id of ['r1r1.1', 'r1r1.c1x.5']) assert.is(ownerOf(id), 'r1r1')
  for (const id of [1, null, undefined, '', 'r1r1', 'r1.1', 'R1R1.1', 'r1r1x.1', '.1', {}]) assert.is(ownerOf(id), null)
})

test('a new replica has a name that fits', () => {
  for (let n = 0; n < 100; n += 1) assert.is(ownerOf(`${newReplicaId()}.1`)?.length, 4)
})

test.run()
