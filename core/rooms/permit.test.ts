import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { accessBut, open, plan } from '../upstream/catalog-testing.js'
import type { NoAccess } from '../upstream/catalog-types.js'
import { createPermit } from './permit.js'
import { routed } from './testing.js'

const refusal = (answer: NoAccess): GatehouseError => {
  try {
    createPermit(() => accessBut('crm', answer))(routed(plan(['crm']), 'find'))
  } catch (thrown) {
    if (thrown instanceof GatehouseError) return thrown
    throw thrown
  }
  throw new Error('it was permitted')
}

test('a call whose server is there is permitted, with the credential that is lent', () => {
  const { room, target } = createPermit(() => open)(routed(plan(['crm']), 'find'))
  assert.equal([room, target.key, target.server.slug], ['permitted', 'public', 'crm'])
})

test('a disabled server is refused by name', () => {
  const { code, message, data } = refusal({ state: 'disabled', reason: 'the identity is disabled' })
  assert.equal([code, message, data], ['GH_PERMIT_DISABLED', "Server 'crm' is disabled", { server: 'crm' }])
})

test('a server that waits for a credential says so, and why', () => {
  const { code, message, data } = refusal({ state: 'connect_required', reason: 'no identity has been given yet' })
  assert.equal([code, data], ['GH_FORWARD_CONNECT', { server: 'crm' }])
  assert.match(message, /no identity has been given yet/)
})

test('an identity that has expired is refused, though its last list is still shown', () => {
  const { code } = refusal({ state: 'connect_required', reason: 'expired', lastSeenAs: 'identity-1' })
  assert.is(code, 'GH_FORWARD_CONNECT')
})

test.run()
