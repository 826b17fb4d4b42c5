import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../until.js'
import { allow, codeIn, createAiClient } from './ai-client.js'
import { oauthHouse } from './house.js'

const house = await oauthHouse()
test.after(() => house.stop())
const { url, gateway } = house
const eng = `${url}/mcp/eng`

/** A client whose person has just said yes: with a code, and nothing done with it. */
async function granted() {
  const client = createAiClient(url)
  await client.register()
  const browser = await house.person('ann@example.com')
  const { url: start, verifier } = client.begin(eng)
  return { client, verifier, code: codeIn(await allow(browser, await browser.get(start))) }
}
const connected = async () => {
  const client = createAiClient(url)
  return { client, tokens: await client.connect(await house.person('ann@example.com'), eng) }
}
const statusOf = async (token: string) => (await house.call('/mcp/eng', token)).status
const alerts = async () => await house.sql(`select message, count from alerts where type = 'token_reused'`)
/** The window is over. */
const later = (seconds: number) =>
  house.sql(
    `update oauth_artifacts set consumed_at = consumed_at - make_interval(secs => $1) where consumed_at is not null`,
    [seconds],
  )

test('a code that is replayed ends what it brought, at once', async () => {
  const { client, verifier, code } = await granted()
  const first = await client.exchange(code, verifier)
  assert.is(first.status, 200)
  assert.is(await statusOf(first.json.access_token), 200)
  assert.is((await client.exchange(code, verifier)).json.error, 'invalid_grant')
  assert.is(await statusOf(first.json.access_token), 401)
  assert.is((await client.refresh(first.json.refresh_token)).json.error, 'invalid_grant')
  await until('the alert is there', async () => ((await alerts()).length > 0 ? true : undefined))
})

test('of many who redeem one code at once, nobody keeps anything', async () => {
  const { client, verifier, code } = await granted()
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.exchange(code, verifier)))
  const won = answers.filter(({ status }) => status === 200)
  assert.ok(won.length <= 1, `${won.length} won`)
  for (const { json } of won) assert.is(await statusOf(json.access_token), 401)
})

test('a stolen code is worth nothing without its verifier, and its owner can still redeem it', async () => {
  const { client, verifier, code } = await granted()
  for (const wrong of ['A'.repeat(43), '', 'x'])
    assert.is(
      (await client.exchange(code, wrong)).json.error,
      wrong === '' ? 'invalid_grant' : wrong === 'x' ? 'invalid_request' : 'invalid_grant',
    )
  const thief = createAiClient(url, {
    metadata: { redirect_uris: ['https://evil.example/cb'], client_name: 'Thief', token_endpoint_auth_method: 'none' },
  })
  await thief.register()
  assert.is((await thief.exchange(code, verifier)).json.error, 'invalid_grant')
  assert.is(
    (await client.exchange(code, verifier, { redirect_uri: 'http://127.0.0.1:7777/other' })).json.error,
    'invalid_grant',
  )
  assert.is((await client.exchange(code, verifier)).status, 200)
})

test('a code is no longer good after a minute, and no client does without PKCE', async () => {
  const { client, verifier, code } = await granted()
  const hash = createHash('sha256').update(code).digest('hex')
  const [row] = await house.sql(
    `select extract(epoch from expires_at - created_at) as ttl from oauth_artifacts where id_hash = $1`,
    [hash],
  )
  assert.ok(Math.abs(Number(row?.['ttl']) - 60) < 3, String(row?.['ttl']))
  assert.is((await client.exchange(code, verifier)).status, 200)
  const browser = await house.person('ann@example.com')
  for (const without of [{ code_challenge: null, code_challenge_method: null }, { code_challenge_method: 'plain' }]) {
    const page = await browser.get(client.begin(eng, without).url)
    assert.is(page.leftFor?.searchParams.get('error'), 'invalid_request')
  }
})

test('a refresh token may be used again for a short while: several processes share it', async () => {
  const { client, tokens } = await connected()
  const forks = [await client.refresh(tokens.refresh_token), await client.refresh(tokens.refresh_token)]
  for (const { status, json } of forks) {
    assert.is(status, 200)
    assert.is(await statusOf(json.access_token), 200)
    assert.is((await client.refresh(json.refresh_token)).status, 200, 'both go on')
  }
})

test('more than five uses are refused and harm nobody', async () => {
  const { client, tokens } = await connected()
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(tokens.refresh_token)))
  const fresh = answers.filter(({ status }) => status === 200)
  assert.is(fresh.length, 5)
  for (const { json } of answers.filter(({ status }) => status !== 200)) assert.is(json.error, 'invalid_grant')
  for (const { json } of fresh) assert.is(await statusOf(json.access_token), 200)
})

test('a refresh token that comes back later ends its grant and raises an alert', async () => {
  const { client, tokens } = await connected()
  const next = (await client.refresh(tokens.refresh_token)).json
  assert.is(await statusOf(next.access_token), 200)
  const before = (await alerts()).reduce((sum, row) => sum + Number(row['count']), 0)
  await later(61)
  assert.is((await client.refresh(tokens.refresh_token)).json.error, 'invalid_grant')
  assert.is(await statusOf(next.access_token), 401)
  assert.is((await client.refresh(next.refresh_token)).json.error, 'invalid_grant')
  await until('the alert counts it', async () =>
    (await alerts()).reduce((sum, row) => sum + Number(row['count']), 0) > before ? true : undefined,
  )
})

test('with a window of nothing a refresh token is good once', async () => {
  await gateway.api('PATCH', '/settings', { refreshReuse: { seconds: 0 } })
  const { client, tokens } = await connected()
  assert.is((await client.refresh(tokens.refresh_token)).status, 200)
  assert.is((await client.refresh(tokens.refresh_token)).json.error, 'invalid_grant')
  await gateway.api('PATCH', '/settings', { refreshReuse: { seconds: 60 } })
})

test('a client that gives any of its tokens back ends all that came of the same consent', async () => {
  for (const kind of ['access_token', 'refresh_token'] as const) {
    const { client, tokens } = await connected()
    const next = (await client.refresh(tokens.refresh_token)).json
    assert.is((await client.revoke(next[kind])).status, 200)
    for (const token of [tokens.access_token, next.access_token]) assert.is(await statusOf(token), 401, kind)
    assert.is((await client.refresh(next.refresh_token)).json.error, 'invalid_grant')
    assert.is((await client.revoke('unknown')).status, 200, 'RFC 7009')
  }
})

test('a refresh keeps to its own gateway', async () => {
  const { client, tokens } = await connected()
  assert.is((await client.refresh(tokens.refresh_token, { resource: `${url}/mcp/ops` })).json.error, 'invalid_target')
  assert.is((await client.refresh(tokens.refresh_token, { resource: eng })).status, 200)
})

test('a client that was removed is told to register anew', async () => {
  const { client, tokens } = await connected()
  await house.sql('delete from oauth_clients where client_id = $1', [client.id])
  await gateway.api('PATCH', '/settings', {})
  const answer = await client.refresh(tokens.refresh_token)
  assert.is(answer.status, 401)
  assert.is(answer.json.error, 'invalid_client')
})

test('what the database holds opens nothing', async () => {
  const { client, tokens } = await connected()
  const { code } = await granted()
  const tables = await house.sql(
    `select table_name::text as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  )
  let dump = ''
  for (const { name } of tables) dump += JSON.stringify(await house.sql(`select * from "${String(name)}"`))
  for (const secret of [tokens.access_token, tokens.refresh_token, code]) assert.not.ok(dump.includes(secret))
  for (const word of ['codeChallenge', 'accountId', '"jti"']) assert.not.ok(dump.includes(word), word)
  assert.ok(dump.includes(createHash('sha256').update(tokens.access_token).digest('hex')))
  assert.not.ok(gateway.logs().includes(tokens.access_token))
  assert.ok(client.id)
})

test('each refusal is on record with its reason and without what was tried', async () => {
  const { client, tokens } = await connected()
  await client.refresh('stolen-refresh-token')
  const access = { url: eng, token: tokens.access_token, tokenId: '', host: '' }
  const rows = (await gateway.recorded(access, { outcome: 'auth_refused' })).flatMap(({ legs }) => legs)
  const last = rows.filter(({ method }) => method === 'oauth/token').at(-1)
  assert.match(last?.error ?? '', 'refresh token not found')
  assert.not.match(JSON.stringify(rows), 'stolen-refresh-token')
})

test.run()
