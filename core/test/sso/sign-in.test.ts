import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGateway } from '../gateway.js'
import { startProvider } from './provider.js'
import { newWalker, signInThere } from './walk.js'

const gateway = await startGateway()
const provider = await startProvider({ gateway: gateway.url })
test.after(async () => void (await Promise.all([gateway.stop(), provider.stop()])))
const { issuer, clientId, clientSecret, people } = provider

await gateway.api('POST', '/idps', {
  slug: 'acme',
  title: 'Acme',
  plugin: 'idp-oidc',
  ...{ issuer, clientId, clientSecret },
  domains: ['example.com'],
})

test('who comes for the first time is made, with the default role and no more', async () => {
  people.set('ada', { email: 'Ada@example.com', email_verified: true, name: 'Ada', role: 'super-admin' })
  const walker = newWalker(gateway, provider)
  const shown = await signInThere(walker, '/auth/sso/start?idp=acme&to=/auth/account?x=1', 'ada')
  assert.equal([shown.status, shown.path], [200, '/auth/account?x=1'], shown.text.slice(-500))
  assert.match(shown.text, 'ada@example.com')
  const user = await gateway.api('GET', '/users/ada@example.com')
  assert.equal([user['role'], user['enabled'], user['name']], ['member', true, 'Ada'])
})

test.run()
