import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAiClient } from './ai-client.js'
import { oauthHouse } from './house.js'

const house = await oauthHouse()
test.after(() => house.stop())
const { url, gateway } = house
const api = gateway.api

const connected = async (email: string, path = '/mcp/eng') => {
  const client = createAiClient(url)
  const tokens = await client.connect(await house.person(email), url + path)
  return { client, tokens, status: async (at = path) => (await house.call(at, tokens.access_token)).status }
}
const idOf = async (table: string, where: string) =>
  String((await house.sql(`select id::text from ${table} where ${where}`))[0]?.['id'])

test('whoever is not let in gets 401 with where to go, on every verb', async () => {
  for (const [path, method] of [
    ['/mcp', 'POST'],
    ['/mcp/eng', 'POST'],
    ['/mcp/eng', 'GET'],
    ['/mcp/eng', 'DELETE'],
  ] as const) {
    const answer = await house.call(
      path,
      null,
      method === 'POST' ? {} : { method, body: null, headers: { accept: 'text/event-stream', 'mcp-session-id': 'x' } },
    )
    assert.is(answer.status, 401, `${method} ${path}`)
    const challenge = answer.headers.get('www-authenticate') ?? ''
    assert.match(challenge, `resource_metadata="${url}/.well-known/oauth-protected-resource${path}"`)
    assert.match(challenge, 'scope="mcp"')
    assert.not.match(challenge, 'error=')
  }
})

test('tokens that are none of ours are unknown, however well they are made', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: url, aud: `${url}/mcp/eng`, sub: 'ann@example.com', nbf: 4_000_000_000, exp: 4_100_000_000 }
  const tokens = [
    `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims)}.`,
    `${part({ alg: 'HS256' })}.${part(claims)}.AAAA`,
    'A'.repeat(43),
    'x',
  ]
  for (const token of tokens) {
    const answer = await house.call('/mcp/eng', token)
    assert.is(answer.status, 401, token)
    assert.match(answer.headers.get('www-authenticate') ?? '', 'error="invalid_token"')
  }
})

test('a token is good at its own gateway alone', async () => {
  const { status } = await connected('carl@example.com')
  assert.is(await status(), 200)
  assert.is(await status('/mcp?gateway=eng'), 200)
  assert.is(await status('/mcp/ops'), 401)
  assert.is(await status('/mcp'), 401)
})

test('an expired token is 401, and what was refreshed works', async () => {
  const { client, tokens, status } = await connected('ann@example.com')
  await house.sql(`update oauth_artifacts set expires_at = now() - interval '1 second' where kind = 'AccessToken'`)
  await api('PATCH', '/settings', {})
  assert.is(await status(), 401)
  const { json } = await client.refresh(tokens.refresh_token)
  assert.is((await house.call('/mcp/eng', json.access_token)).status, 200)
})

test('a disabled person, host, connection or gateway is 403 on the next request, and refreshes on', async () => {
  const { client, tokens, status } = await connected('ann@example.com')
  const connectionId = await idOf('connections', `user_id = (select id from users where email = 'ann@example.com')`)
  const hostId = await idOf('hosts', `kind = 'oauth'`)
  let refresh = tokens.refresh_token
  for (const path of [`/connections/${connectionId}`, `/hosts/${hostId}`]) {
    assert.is(await status(), 200)
    await api('PATCH', path, { enabled: false })
    const answer = await house.call('/mcp/eng', tokens.access_token)
    assert.is(answer.status, 403, path)
    assert.not.match(answer.headers.get('www-authenticate') ?? '', 'insufficient_scope')
    const refreshed = await client.refresh(refresh)
    assert.is(refreshed.status, 200, JSON.stringify(refreshed.json))
    refresh = refreshed.json.refresh_token
    assert.is((await house.call('/mcp/eng', refreshed.json.access_token)).status, 403)
    await api('PATCH', path, { enabled: true })
    assert.is(await status(), 200, 'nothing has to be connected anew')
  }
})

test('who loses the team or the right to let clients in is 403', async () => {
  const { status } = await connected('carl@example.com', '/mcp/ops')
  const userId = await idOf('users', `email = 'carl@example.com'`)
  const before = String((await house.sql('select role from users where id = $1', [userId]))[0]?.['role'])
  await house.sql(`update users set role = 'reader' where id = $1`, [userId])
  await api('PATCH', '/settings', {})
  assert.is(await status(), 403)
  await house.sql('update users set role = $2 where id = $1', [userId, before])
  await house.sql(
    `delete from team_members where user_id = $1 and team_id = (select id from teams where slug = 'operations')`,
    [userId],
  )
  await api('PATCH', '/settings', {})
  assert.is(await status(), 403)
})

test('who is deleted is 401, and their refresh ends', async () => {
  const { client, tokens, status } = await connected('bob@example.com', '/mcp/ops')
  assert.is(await status(), 200)
  await house.sql(`delete from users where email = 'bob@example.com'`)
  await api('PATCH', '/settings', {})
  assert.is(await status(), 401)
  assert.is((await client.refresh(tokens.refresh_token)).json.error, 'invalid_grant')
})

test('a connection that is removed ends its tokens at once', async () => {
  const { client, tokens, status } = await connected('ann@example.com')
  assert.is(await status(), 200)
  const connectionId = await idOf('connections', `user_id = (select id from users where email = 'ann@example.com')`)
  await api('DELETE', `/connections/${connectionId}`)
  assert.is(await status(), 401)
  assert.is((await client.refresh(tokens.refresh_token)).json.error, 'invalid_grant')
  assert.is(
    (
      await house.sql(`select 1 from oauth_artifacts where grant_hash is not null and kind <> 'AuthorizationCode'
    and grant_hash not in (select grant_hash from connection_grants)`)
    ).length,
    0,
  )
})

test('what happened at the door is on record with the client as its host', async () => {
  const { tokens } = await connected('ann@example.com')
  const access = { url: `${url}/mcp/eng`, token: tokens.access_token, tokenId: '', host: '' }
  await house.call('/mcp/eng', tokens.access_token)
  const recorded = await gateway.recorded(access)
  const row = recorded.at(-1)?.legs[0]
  assert.is(row?.host_name, 'Tester')
  assert.is(row?.user_email, 'ann@example.com')
})

test.run()
