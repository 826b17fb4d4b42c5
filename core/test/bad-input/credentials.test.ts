import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mintSecret } from '../../identity/tokens.js'
import { call, legacy, modern, openSession, post, type Answer } from '../door.js'
import { answering, callsOf, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

const PEOPLE = `users: { mia@example.com: { role: member }, max@example.com: { role: member } }
teams: { crew: { members: [mia@example.com] } }
`
let server: FakeServer
let gateway: RunningGateway
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }))
  const yaml = yamlOf({ one: server }, { plugins: PEOPLE, gateway: 'teams: [crew]' })
  gateway = await startGateway({ yaml: `${yaml}  other: { servers: [{ server: one }] }\n` })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

let agents = 0
const newAgent = (user?: string): Promise<Access> =>
  gateway.mintToken({ gateway: 'house', host: `agent-${(agents += 1)}`, ...(user === undefined ? {} : { user }) })
const CALL = call('act')

function assertChallenge({ status, headers, text }: Answer, isInvalid: boolean): void {
  assert.is(status, 401, text)
  const challenge = headers.get('www-authenticate') ?? ''
  assert.match(challenge, /^Bearer /)
  assert.ok(challenge.includes(`resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/mcp/house"`))
  assert.ok(challenge.includes('scope="mcp"'))
  assert.is(challenge.includes('error="invalid_token"'), isInvalid)
}

async function assertForbidden(access: Access): Promise<void> {
  const answer = await legacy(access, CALL)
  assert.is(answer.status, 403, answer.text)
  assert.not.match(answer.headers.get('www-authenticate') ?? '', /insufficient_scope/)
}

test('without a token the answer is 401 with the whole address of the metadata, on every verb', async () => {
  const access = await newAgent()
  for (const method of ['POST', 'GET', 'DELETE']) {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    const body = method === 'POST' ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...CALL }) } : {}
    const answer = await fetch(access.url, { method, headers, ...body })
    assertChallenge(
      { ...answer, status: answer.status, headers: answer.headers, text: await answer.text() } as never,
      false,
    )
  }
  const metadata = await fetch(`${gateway.url}/.well-known/oauth-protected-resource/mcp/house`)
  assert.is(((await metadata.json()) as { resource: string }).resource, access.url)
})

test('an unknown, foreign or misshapen token is invalid, and no server hears of it', async () => {
  const access = await newAgent()
  const before = callsOf(server).length
  const elsewhere = await gateway.mintToken({ gateway: 'other', host: 'elsewhere' })
  const tokens = [mintSecret('API_').secret, gateway.adminToken, elsewhere.token, `${access.token}x`, 'API_', 'x']
  for (const token of tokens) assertChallenge(await legacy({ ...access, token }, CALL), true)
  for (const authorization of ['Basic YTpi', access.token, 'Bearer'])
    assertChallenge(await legacy(access, CALL, { headers: { authorization } }), true)
  assertChallenge(await modern({ ...access, token: 'API_x' }, CALL), true)
  assert.is(callsOf(server).length, before)
})

test('a stranger learns nothing of what is wrong with a body, nor which gateways there are', async () => {
  const access = await newAgent()
  const stranger = { ...access, token: 'API_x' }
  assert.is((await post(stranger, '{')).status, 401)
  const [there, nowhere] = await Promise.all([
    legacy(stranger, CALL),
    legacy({ ...stranger, url: `${gateway.url}/mcp/nowhere` }, CALL),
  ])
  assert.is(nowhere.status, 401)
  assert.is(nowhere.text, there.text)
  const known = await legacy({ ...access, url: `${gateway.url}/mcp/nowhere` }, CALL)
  assert.is(known.status, 401, 'not even to those who are known elsewhere')
})

test('a revoked token opens nothing from the very next request on, open sessions included', async () => {
  const access = await newAgent()
  const session = await openSession(access)
  assert.is((await legacy(access, CALL, { session })).status, 200)
  await gateway.api('DELETE', `/tokens/${access.tokenId}`)
  assertChallenge(await legacy(access, CALL, { session }), true)
  assertChallenge(await legacy(access, CALL), true)
})

test('a disabled token is 403, and is good again once it is enabled', async () => {
  const access = await newAgent()
  await gateway.api('PATCH', `/tokens/${access.tokenId}`, { enabled: false })
  await assertForbidden(access)
  await gateway.api('PATCH', `/tokens/${access.tokenId}`, { enabled: true })
  assert.is((await legacy(access, CALL)).status, 200)
})

test('a disabled host is 403', async () => {
  const access = await newAgent()
  assert.is((await legacy(access, CALL)).status, 200)
  await gateway.api('PATCH', `/hosts/${access.host}`, { enabled: false })
  await assertForbidden(access)
})

test('who has no right to the gateway, or loses it, is 403', async () => {
  const [member, outsider] = [await newAgent('mia@example.com'), await newAgent('max@example.com')]
  assert.is((await legacy(member, CALL)).status, 200)
  await assertForbidden(outsider)
  const { yaml } = {
    yaml: yamlOf(
      { one: server },
      { plugins: PEOPLE.replace('members: [mia', 'members: [max'), gateway: 'teams: [crew]' },
    ),
  }
  await gateway.configure(yaml)
  await assertForbidden(member)
  assert.is((await legacy(outsider, CALL)).status, 200)
})

test('a disabled person is 403', async () => {
  const access = await newAgent('max@example.com')
  assert.is((await legacy(access, CALL)).status, 200)
  const plugins = PEOPLE.replace(
    'max@example.com: { role: member }',
    'max@example.com: { role: member, enabled: false }',
  )
  await gateway.configure(yamlOf({ one: server }, { plugins, gateway: 'teams: [crew]' }))
  await assertForbidden(access)
})

test('refusals are on record without a word of the token', async () => {
  const access = await newAgent()
  const { secret } = mintSecret('API_')
  const since = Date.now()
  await legacy({ ...access, token: secret }, CALL)
  const refused = await gateway.recorded(access, { outcome: 'auth_refused', since })
  assert.equal(
    refused.map(({ legs }) => legs.map((leg) => [leg.log_type, leg.http_status_code])),
    [[['auth_refused', 401]]],
  )
  assert.not(JSON.stringify(refused).includes(secret) || gateway.logs().includes(secret))
})

test('a disabled gateway is 403', async () => {
  const access = await newAgent()
  await gateway.configure(yamlOf({ one: server }, { plugins: PEOPLE, gateway: 'enabled: false' }))
  await assertForbidden(access)
})

test.run()
