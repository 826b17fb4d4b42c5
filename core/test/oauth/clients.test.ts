import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type ClientShape, createAiClient, PUBLIC, register } from './ai-client.js'
import { oauthHouse } from './house.js'

const house = await oauthHouse({ settings: '{ limits: { registrations: 100 } }' })
test.after(() => house.stop())
const { url } = house

const CURSOR = {
  client_name: 'Cursor',
  redirect_uris: [
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'https://www.cursor.com/agents/mcp/oauth/callback',
    'http://localhost:8787/callback',
  ],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
}
const VSCODE = {
  client_name: 'Visual Studio Code',
  client_uri: 'https://code.visualstudio.com',
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
  redirect_uris: [
    'https://insiders.vscode.dev/redirect',
    'https://vscode.dev/redirect',
    'http://127.0.0.1/',
    'http://127.0.0.1:33418/',
  ],
  token_endpoint_auth_method: 'none',
  application_type: 'native',
}
const CLAUDE = { client_name: 'Claude', redirect_uris: ['https://claude.ai/api/mcp/auth_callback'] }
const CLAUDE_CODE = {
  client_name: 'Claude Code (work)',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}
const REMOTE = {
  client_name: 'MCP CLI Proxy',
  client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
  redirect_uris: ['http://localhost:3335/oauth/callback'],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: 'openid email profile',
}

interface Replayed {
  readonly name: string
  readonly shape: ClientShape
  /** As it sends it; null: not at all. */
  readonly resource: string | null
  /** Where its tokens open, in the order of `/mcp`, `/mcp/eng`, `/mcp/ops`. */
  readonly opens: readonly [number, number, number]
}
const LOCKED = [401, 200, 401] as const
const PICKED = [200, 200, 401] as const
const eng = `${url}/mcp/eng`

const SHAPES: readonly Replayed[] = [
  {
    name: 'Claude with a secret',
    shape: { metadata: { ...CLAUDE, token_endpoint_auth_method: 'client_secret_post' } },
    resource: eng,
    opens: LOCKED,
  },
  { name: 'Claude without a method', shape: { metadata: CLAUDE }, resource: eng, opens: LOCKED },
  {
    name: 'Claude Code on a port of the moment',
    shape: { metadata: CLAUDE_CODE, redirectUri: 'http://localhost:51234/callback' },
    resource: eng,
    opens: LOCKED,
  },
  {
    name: 'Claude Code on the address',
    shape: { metadata: CLAUDE_CODE, redirectUri: 'http://127.0.0.1:41111/callback' },
    resource: eng,
    opens: LOCKED,
  },
  { name: 'Cursor', shape: { metadata: CURSOR }, resource: eng, opens: LOCKED },
  {
    name: 'Cursor without state',
    shape: { metadata: CURSOR, authorize: { state: null } },
    resource: eng,
    opens: LOCKED,
  },
  {
    name: 'VS Code',
    shape: { metadata: VSCODE, redirectUri: 'http://127.0.0.1:33418/' },
    resource: eng,
    opens: LOCKED,
  },
  {
    name: 'VS Code on another port',
    shape: { metadata: VSCODE, redirectUri: 'http://127.0.0.1:50999/' },
    resource: eng,
    opens: LOCKED,
  },
  {
    name: 'VS Code without a resource',
    shape: { metadata: VSCODE, redirectUri: 'https://vscode.dev/redirect' },
    resource: null,
    opens: PICKED,
  },
  {
    name: 'mcp-remote with foreign scopes',
    shape: { metadata: REMOTE, authorize: { scope: 'openid email profile' } },
    resource: eng,
    opens: LOCKED,
  },
  {
    name: 'one that says the least',
    shape: { metadata: { redirect_uris: ['http://127.0.0.1:9/cb'], token_endpoint_auth_method: 'none' } },
    resource: eng,
    opens: LOCKED,
  },
  { name: 'one with a slash at the end', shape: { metadata: PUBLIC }, resource: `${eng}/`, opens: LOCKED },
  {
    name: 'one with the gateway in the query',
    shape: { metadata: PUBLIC },
    resource: `${url}/mcp?gateway=eng`,
    opens: LOCKED,
  },
  { name: 'one at the picker', shape: { metadata: PUBLIC }, resource: `${url}/mcp`, opens: PICKED },
]

for (const { name, shape, resource, opens } of SHAPES)
  test(`${name} gets through, and its token opens what it should`, async () => {
    const client = createAiClient(url, shape)
    assert.is((await client.register()).status, 201)
    const tokens = await client.connect(await house.person('ann@example.com'), resource)
    assert.ok(tokens.refresh_token)
    const seen = []
    for (const path of ['/mcp', '/mcp/eng', '/mcp/ops']) seen.push((await house.call(path, tokens.access_token)).status)
    assert.equal(seen, [...opens])
    const refreshed = await client.refresh(tokens.refresh_token)
    assert.is(refreshed.status, 200, JSON.stringify(refreshed.json))
  })

test('installs of one client are one row and one host, whatever their ports and nicknames', async () => {
  const ids = new Set<string>()
  for (let n = 0; n < 50; n += 1) {
    const metadata = {
      ...REMOTE,
      client_name: `Many (install ${n})`,
      redirect_uris: [`http://localhost:${4000 + n}/oauth/callback`],
    }
    ids.add((await register(url, metadata)).json.client_id)
  }
  assert.is(ids.size, 1)
  const [rows] = await house.sql(`select count(*)::int as n from oauth_clients where name = 'Many'`)
  assert.is(rows?.['n'], 1)
  assert.is((await house.sql(`select 1 from hosts where title = 'Many'`)).length, 0, 'no host before a grant')
  for (const port of [4001, 4777]) {
    const redirectUri = `http://localhost:${port}/oauth/callback`
    const client = createAiClient(url, { metadata: REMOTE, redirectUri, clientId: [...ids][0] ?? '' })
    await client.connect(await house.person('ann@example.com'), eng)
  }
  assert.is((await house.sql(`select 1 from hosts where title = 'Many' and kind = 'oauth'`)).length, 1)
  const connections = await house.sql(
    `select c.id from connections c join hosts h on h.id = c.host_id where h.title = 'Many'`,
  )
  assert.is(connections.length, 1, 'connecting anew is no second connection')
})

const BAD = [
  ['http://example.com/cb'],
  ['http://localhost.evil.example/cb'],
  ['javascript:alert(1)'],
  ['data:text/html,x'],
  ['myapp://callback'],
  ['https://user:pass@example.com/cb'],
  ['https://example.com/cb#fragment'],
  ['/relative'],
  ['https://example.com/cb', 'file:///etc/passwd'],
  Array.from({ length: 11 }, (_, n) => `https://example.com/${n}`),
  [],
]
for (const uris of BAD)
  test(`no client registers with ${JSON.stringify(uris).slice(0, 60)}`, async () => {
    const { status, json } = await register(url, { ...PUBLIC, redirect_uris: uris })
    assert.is(status, 400)
    assert.match(json.error, /invalid_redirect_uri|invalid_client_metadata/)
  })

test('what makes the server fetch something is never looked at', async () => {
  const { status, json } = await register(url, {
    ...PUBLIC,
    jwks_uri: 'http://169.254.169.254/jwks',
    sector_identifier_uri: 'https://127.0.0.1/sector',
    request_uris: ['http://127.0.0.1/x'],
  })
  assert.is(status, 201)
  for (const name of ['jwks_uri', 'sector_identifier_uri', 'request_uris']) assert.is(json[name], undefined, name)
})

test('nobody registers for what only administrators give', async () => {
  const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const { json } = await register(url, {
    ...{ ...CLAUDE, client_name: 'Sly', gh_admin: true },
    grant_types: ['authorization_code', jwtBearer, 'client_credentials', 'implicit'],
  })
  assert.equal(json.grant_types, ['authorization_code'])
  const basic = { authorization: `Basic ${btoa(`${json.client_id}:${json.client_secret}`)}` }
  const client = createAiClient(url, { metadata: CLAUDE, clientId: json.client_id })
  const answer = await client.form('/oauth/token', { grant_type: jwtBearer, assertion: 'x' }, basic)
  assert.is(answer.status, 400)
})

test('a second registration changes nothing of the first', async () => {
  const first = await register(url, { ...PUBLIC, client_name: 'Steady' })
  const second = await register(url, { ...PUBLIC, client_name: 'Steady', logo_uri: 'https://evil.example/logo.png' })
  assert.is(second.json.client_id, first.json.client_id)
  const client = createAiClient(url, { metadata: PUBLIC, clientId: first.json.client_id })
  await client.connect(await house.person('ann@example.com'), eng)
})

test('an unregistered redirect gets a page and no redirect', async () => {
  const client = createAiClient(url)
  await client.register()
  const browser = await house.person('ann@example.com')
  for (const redirect_uri of [
    'https://evil.example/cb',
    'http://127.0.0.1:7777/other',
    'http://127.0.0.1.evil.example/callback',
  ]) {
    const page = await browser.get(client.begin(eng, { redirect_uri }).url)
    assert.is(page.status, 400, redirect_uri)
    assert.is(page.leftFor, null)
  }
})

test('a resource that is not ours is refused to the client', async () => {
  const client = createAiClient(url)
  await client.register()
  const browser = await house.person('ann@example.com')
  for (const resource of ['https://other.example/mcp', `${url}/api`]) {
    const page = await browser.get(client.begin(resource).url)
    assert.is(page.leftFor?.searchParams.get('error'), 'invalid_target', resource)
    assert.is(page.leftFor?.searchParams.get('iss'), url)
  }
})

test('which gateways there are is nobody’s business before they are signed in, nor those of others after', async () => {
  const client = createAiClient(url)
  await client.register()
  const resources = [`${url}/mcp/nowhere`, `${url}/mcp/ops`]
  const places = []
  for (const resource of resources) {
    const { status, headers } = await fetch(client.begin(resource).url, { redirect: 'manual' })
    places.push([status, headers.get('location')?.replace(/[^/]+$/, '')])
  }
  assert.equal(places[0], places[1])
  assert.match(String(places[0]), '/oauth/interaction/')
  const ann = await house.person('ann@example.com')
  const shown = []
  for (const resource of resources) {
    const { text } = await ann.get(client.begin(resource).url)
    assert.match(text, 'This gateway is not available to you')
    assert.not.match(text, 'value="allow"')
    shown.push(text.replace(/value="[^"]*"/g, ''))
  }
  assert.is(shown[0], shown[1])
})

test('a name is shown as text', async () => {
  const client = createAiClient(url, { metadata: { ...PUBLIC, client_name: '<b onclick=x>"Bank"\u202e</b>' } })
  await client.register()
  const page = await (await house.person('ann@example.com')).get(client.begin(eng).url)
  assert.match(page.text, '&lt;b onclick=x&gt;&quot;Bank&quot;&lt;/b&gt;')
  assert.not.match(page.text, '\u202e')
})

test.run()
