import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAiClient } from './ai-client.js'
import { documentServer } from './document-server.js'
import { oauthHouse } from './house.js'

const documents = await documentServer()
const house = await oauthHouse({ env: { NODE_EXTRA_CA_CERTS: documents.certificate } })
test.after(async () => {
  await house.stop()
  await documents.stop()
})
const { url } = house
const eng = `${url}/mcp/eng`

const DOCUMENT = {
  client_name: 'Documented',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}
/** What the browser of a person shows who is sent here by such a client. */
async function start(clientId: string, redirectUri = 'http://localhost:51999/callback') {
  const client = createAiClient(url, { metadata: DOCUMENT, clientId, redirectUri })
  const page = await (await house.person('ann@example.com')).get(client.begin(eng).url)
  return { client, page }
}

test('a client that is known by a document gets through, on whatever port it listens', async () => {
  const clientId = documents.put('/client.json', DOCUMENT)
  const client = createAiClient(url, { metadata: DOCUMENT, clientId, redirectUri: 'http://localhost:51234/callback' })
  const tokens = await client.connect(await house.person('ann@example.com'), eng)
  assert.is((await house.call('/mcp/eng', tokens.access_token)).status, 200)
  assert.is((await client.refresh(tokens.refresh_token)).status, 200)
  assert.is(documents.asked.filter((path) => path === '/client.json').length, 1, 'it is read once')
  const [host] = await house.sql(`select kind from hosts where title = 'Documented'`)
  assert.is(host?.['kind'], 'oauth')
})

test('a document gives no right to come with assertions, and no secret', async () => {
  const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const clientId = documents.put('/greedy.json', {
    ...DOCUMENT,
    grant_types: ['authorization_code', jwtBearer],
    gh_admin: true,
  })
  const client = createAiClient(url, { metadata: DOCUMENT, clientId })
  const { status, json } = await client.form('/oauth/token', { grant_type: jwtBearer, assertion: 'x' })
  assert.is(status, 400)
  assert.is(json.error, 'invalid_request')
})

const HOSTILE: readonly (readonly [string, () => string])[] = [
  [
    'of another name',
    () => documents.put('/other.json', { ...DOCUMENT, client_id: 'https://else.example/client.json' }),
  ],
  ['with a secret', () => documents.put('/secret.json', { ...DOCUMENT, client_secret: 'x' })],
  [
    'that wants a shared secret',
    () => documents.put('/basic.json', { ...DOCUMENT, token_endpoint_auth_method: 'client_secret_basic' }),
  ],
  [
    'that sends people anywhere',
    () => documents.put('/script.json', { ...DOCUMENT, redirect_uris: ['javascript:alert(1)'] }),
  ],
  [
    'that redirects',
    () =>
      documents.put('/moved.json', (_, res) => res.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()),
  ],
  ['that is not there', () => `${documents.url}/nothing.json`],
  ['that is a list', () => documents.put('/list.json', (_, res) => void res.end('[]'))],
  ['that is no JSON', () => documents.put('/text.json', (_, res) => void res.end('hello'))],
  ['that is huge', () => documents.put('/huge.json', (_, res) => void res.end(`{"x":"${'x'.repeat(100_000)}"}`))],
]
for (const [what, put] of HOSTILE)
  test(`a document ${what} lets nobody in`, async () => {
    const { page } = await start(put())
    assert.is(page.status, 400)
    assert.is(page.leftFor, null)
  })

test('a document that never comes holds nobody up for long', async () => {
  const clientId = documents.put('/slow.json', () => undefined)
  const began = Date.now()
  const { page } = await start(clientId)
  assert.is(page.status, 400)
  assert.ok(Date.now() - began < 6_000, `${Date.now() - began} ms`)
})

test('what failed is not asked for again and again', async () => {
  const clientId = documents.put('/broken.json', (_, res) => void res.writeHead(500).end())
  for (let times = 0; times < 5; times += 1) await start(clientId)
  assert.is(documents.asked.filter((path) => path === '/broken.json').length, 1)
})

const BAD_IDS = [
  'http://localhost/client.json',
  'https://127.0.0.1/client.json',
  'https://[::1]/client.json',
  'https://[::ffff:127.0.0.1]/client.json',
  'https://2130706433/client.json',
  'https://0x7f.1/client.json',
  'https://169.254.169.254/latest/meta-data',
  'https://10.0.0.1/client.json',
  'https://example.com',
  'https://example.com/',
  'https://user:pass@example.com/client.json',
  'https://example.com/client.json#x',
  'https://example.com/../client.json',
  'https://example.com/%2e%2e/client.json',
  'https://name.invalid/client.json',
  'ftp://example.com/client.json',
  'file:///etc/passwd',
  'data:application/json,{}',
  'https://',
  'https:// example.com/client.json',
]
for (const id of BAD_IDS)
  test(`no client is called ${id}`, async () => {
    const { page } = await start(id)
    assert.is(page.status, 400)
    assert.is(page.leftFor, null)
  })

test('a gateway that cannot fetch documents says so, and clients register instead', async () => {
  const metadata = async () => {
    const response = await fetch(`${house.gateway.url}/.well-known/oauth-authorization-server`)
    return (await response.json()) as Record<string, unknown>
  }
  assert.is((await metadata())['client_id_metadata_document_supported'], true)
  await house.gateway.api('PATCH', '/settings', { clientDocuments: false })
  assert.not((await metadata())['client_id_metadata_document_supported'])
  await house.gateway.api('PATCH', '/settings', { clientDocuments: true })
  assert.is((await metadata())['client_id_metadata_document_supported'], true)
})

test.run()
