import { request } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { oauthHouse } from './house.js'

const house = await oauthHouse()
test.after(() => house.stop())
const { url } = house

/** Fetch lets nobody choose the Host. */
function rawGet(
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; location: string; text: string }> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (part: string) => (text += part))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, location: res.headers.location ?? '', text }))
    })
    sent.on('error', reject).end()
  })
}

const PLACES = ['oauth-authorization-server', 'openid-configuration'].flatMap((document) => [
  `/.well-known/${document}`,
  `/.well-known/${document}/mcp`,
  `/.well-known/${document}/mcp/eng`,
  `/mcp/.well-known/${document}`,
  `/mcp/eng/.well-known/${document}`,
])

test('the same metadata lies wherever clients look for it', async () => {
  const bodies = new Set<string>()
  for (const place of PLACES) {
    const response = await fetch(url + place, { headers: { origin: 'https://inspector.example' } })
    assert.is(response.status, 200, place)
    assert.ok(response.headers.get('access-control-allow-origin'), place)
    bodies.add(await response.text())
  }
  assert.is(bodies.size, 1)
  const metadata = JSON.parse([...bodies][0] ?? '')
  assert.is(metadata.issuer, url)
  assert.equal(metadata.code_challenge_methods_supported, ['S256'])
  assert.ok(metadata.token_endpoint_auth_methods_supported.includes('none'))
  assert.is(metadata.client_id_metadata_document_supported, true)
  assert.is(metadata.authorization_response_iss_parameter_supported, true)
  assert.is(metadata.registration_endpoint, `${url}/oauth/register`)
  assert.is(metadata.pushed_authorization_request_endpoint, undefined)
  assert.ok(metadata.scopes_supported.includes('mcp'))
  assert.equal(metadata.response_types_supported, ['code'])
})

test('the resource names its authorization server, and itself as people type it', async () => {
  const at = async (path: string) => (await fetch(`${url}/.well-known/oauth-protected-resource${path}`)).json()
  for (const [path, resource] of [
    ['', '/mcp'],
    ['/mcp', '/mcp'],
    ['/mcp/eng', '/mcp/eng'],
  ] as const) {
    const metadata = (await at(path)) as Record<string, unknown>
    assert.is(metadata['resource'], url + resource)
    assert.equal(metadata['authorization_servers'], [url])
  }
})

test('a forged Host stands in no URL of the metadata, and in no redirect', async () => {
  const forged = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
  for (const place of PLACES) assert.not.match((await rawGet(place, forged)).text, 'evil.example', place)
  const query = new URLSearchParams({
    client_id: ((await (await fetch(`${url}/register`, REGISTRATION)).json()) as { client_id: string }).client_id,
    ...{ response_type: 'code', redirect_uri: 'http://127.0.0.1:1/cb', code_challenge_method: 'S256', state: 's' },
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  })
  const started = await rawGet(`/oauth/authorize?${query}`, forged)
  assert.is(started.status, 303)
  assert.match(started.location, /^\/oauth\/interaction\//)
  const [row] = await house.sql(`select count(*)::int as n from oauth_artifacts where kind = 'Interaction'`)
  assert.is(row?.['n'], 1)
})

const REGISTRATION = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ redirect_uris: ['http://127.0.0.1:1/cb'], token_endpoint_auth_method: 'none' }),
}

test('clients that guess at the origin find the endpoints there', async () => {
  assert.is((await fetch(`${url}/register`, REGISTRATION)).status, 201)
  const token = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'x' }) })
  assert.is(token.status, 400)
  assert.match(await token.text(), 'invalid_request')
  const authorize = await fetch(`${url}/authorize?client_id=x`, {
    redirect: 'manual',
    headers: { accept: 'text/html' },
  })
  assert.is(authorize.status, 400)
  assert.match(await authorize.text(), 'Start again in your AI client')
})

test('a browser may talk to the endpoints from any page', async () => {
  for (const path of ['/oauth/register', '/oauth/token', '/oauth/revoke', '/register', '/token']) {
    const response = await fetch(url + path, {
      method: 'OPTIONS',
      headers: { origin: 'https://inspector.example', 'access-control-request-headers': 'content-type' },
    })
    assert.is(response.status, 204, path)
    assert.is(response.headers.get('access-control-allow-origin'), '*', path)
  }
})

test('what is not asked for is not served', async () => {
  for (const path of ['/oauth/me', '/oauth/session', '/request', '/oauth/introspect', '/oauth/device', '/oauth/end'])
    assert.is((await fetch(url + path, { redirect: 'manual' })).status, 404, path)
})

test.run()
