import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Principal } from '@gatehouse/sdk'
import { permits } from './policy.js'

const gateway = { id: 'g', teamIds: ['t1', 't2'] }
const withoutTeams = { id: 'g', teamIds: [] }

function person(teams: readonly string[], capabilities: readonly string[] = []): Principal {
  return {
    user: { id: 'u', email: 'u@x.io', name: 'U', teams, role: 'member', capabilities: new Set(capabilities) },
    host: { id: 'h', name: 'H', kind: 'token' },
    connection: { id: 'c', gatewayId: 'g' },
    attributes: {},
  }
}

function nobody(kind: 'token' | 'oauth', gatewayId: string): Principal {
  return { ...person([]), user: null, host: { id: 'h', name: 'H', kind }, connection: { id: 'c', gatewayId } }
}

test('a person reaches the gateways of one of their teams, no other', () => {
  assert.ok(permits(person(['t2', 't9']), gateway))
  assert.not(permits(person(['t9']), gateway))
  assert.not(permits(person([]), gateway))
})

test('a gateway without teams is nobody’s but for those who may use all', () => {
  assert.not(permits(person(['t1']), withoutTeams))
  assert.ok(permits(person([], ['viewAndUseAllGateways']), withoutTeams))
  assert.ok(permits(person([], ['*']), gateway))
  assert.not(permits(person([], ['basicGatewayManagement']), gateway))
})

test('a token host without a person reaches the gateway of its connection alone', () => {
  assert.ok(permits(nobody('token', 'g'), withoutTeams))
  assert.not(permits(nobody('token', 'other'), gateway))
  assert.not(permits(nobody('oauth', 'g'), gateway))
})

test.run()
