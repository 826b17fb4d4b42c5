import { randomUUID } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startProvider } from '../sso/provider.js'
import { newWalker, signInThere } from '../sso/walk.js'
import { createAiClient } from './ai-client.js'
import { oauthHouse } from './house.js'
import { createTestBrowser } from './test-browser.js'

const house = await oauthHouse()
const provider = await startProvider({ gateway: house.url })
test.after(async () => void (await Promise.all([house.stop(), provider.stop()])))
const { url, gateway } = house
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const { issuer, clientId, clientSecret } = provider
await gateway.api('POST', '/idps', {
  ...{
    slug: 'acme',
    plugin: 'idp-oidc',
    issuer,
    clientId,
    clientSecret,
    domains: ['example.com'],
    trustAssertions: true,
  },
})
const agent = (await gateway.api('POST', '/oauth-clients', { name: 'Agent', assertions: true })) as {
  clientId: string
  secret: string
}
provider.people.set('ann-there', { email: 'ann@example.com', email_verified: true })

const assertion = (claims: Readonly<Record<string, unknown>> = {}) =>
  provider.logoutToken(
    {
      ...{ aud: url, sub: 'ann-there', client_id: agent.clientId, resource: `${url}/mcp/eng`, scope: 'mcp' },
      ...{ jti: randomUUID(), events: undefined, ...claims },
    },
    { typ: 'oauth-id-jag+jwt' },
  )
async function ask(text: string) {
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${agent.clientId}:${agent.secret}`)}` },
    body: new URLSearchParams({ grant_type: JWT_BEARER, assertion: text }),
  })
  return { status: response.status, json: (await response.json()) as Record<string, string> }
}

test('nobody is vouched for who never came in through that provider', async () => {
  assert.is((await ask(await assertion())).json['error'], 'invalid_grant')
})

test('who signed in by SSO lets a client in like anybody else', async () => {
  const walker = newWalker(gateway, provider)
  await signInThere(walker, '/auth/sso/start?idp=acme', 'ann-there')
  const browser = createTestBrowser(url)
  browser.setCookie('gh_session', walker.here.cookie('gh_session') ?? '')
  const client = createAiClient(url)
  const tokens = await client.connect(browser, `${url}/mcp/eng`)
  assert.is((await house.call('/mcp/eng', tokens.access_token)).status, 200)
})

test('an assertion of the configured provider opens the gateway that it names, and no other', async () => {
  const { status, json } = await ask(await assertion())
  assert.is(status, 200, JSON.stringify(json))
  assert.is((await house.call('/mcp/eng', json['access_token'] ?? '')).status, 200)
  assert.is((await house.call('/mcp/ops', json['access_token'] ?? '')).status, 401)
  assert.is(
    (await ask(await assertion({ resource: `${url}/mcp/ops` }))).json['error'],
    'invalid_grant',
    'no team of hers',
  )
})

test('a provider that is not trusted with that vouches for nobody', async () => {
  await gateway.api('PATCH', '/idps/acme', { trustAssertions: false })
  assert.is((await ask(await assertion())).json['error'], 'invalid_grant')
})

test('the metadata says that assertions are taken', async () => {
  const metadata = (await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json()) as Record<
    string,
    string[]
  >
  assert.ok(metadata['grant_types_supported']?.includes(JWT_BEARER))
  assert.ok(metadata['authorization_grant_profiles_supported']?.includes('urn:ietf:params:oauth:grant-profile:id-jag'))
})

test.run()
