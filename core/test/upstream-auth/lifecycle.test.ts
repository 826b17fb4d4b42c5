import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Pool } from 'pg'
import { until } from '../until.js'
import { callTool, textOf, toolNames } from './calls.js'
import { openHouse } from './house.js'

const house = await openHouse({ guarded: { scopes: ['read'] } })
const { gateway, signIn, server, page } = house
const pool = new Pool({ connectionString: gateway.databaseUrl ?? '', max: 1 })
test.after(async () => {
  await pool.end()
  await house.stop()
})

const mia = await house.person('mia')
const access = await house.access('mia')
await house.connect(mia, 'upstream-mia')
await callTool(access, 'whoami')
await toolNames(access)

const lastToken = () => server.seen.at(-1)?.authorization?.slice('Bearer '.length) ?? ''
const identity = async () => {
  const { items } = (await gateway.api('GET', '/identities')) as { items: Record<string, unknown>[] }
  return items[0]!
}
const alerts = async (): Promise<{ state: string }[]> =>
  (await pool.query(`select state from alerts where type = 'identity_refresh_failed'`)).rows

test('a token that the server refuses is renewed in the middle of the call, and the client sees nothing of it', async () => {
  assert.is(textOf(await callTool(access, 'whoami')), 'upstream-mia')
  const before = lastToken()
  await signIn.revokeAll(before)
  assert.is(textOf(await callTool(access, 'whoami')), 'upstream-mia')
  assert.is.not(lastToken(), before)
})

test('a session of a client of before goes on over a renewal', async () => {
  const client = new Client({ name: 'old', version: '1' }, { versionNegotiation: { mode: 'legacy' } } as never)
  const requestInit = { headers: { authorization: `Bearer ${access.token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(access.url), { requestInit }) as never)
  const call = async () =>
    ((await client.callTool({ name: 'whoami', arguments: {} })).content as { text: string }[])[0]?.text
  assert.is(await call(), 'upstream-mia')
  await signIn.revokeAll(lastToken())
  assert.is(await call(), 'upstream-mia')
  await client.close()
})

test('an access that is dead leaves the tools where they are, tells where to renew it, and raises one alert', async () => {
  const { id } = await identity()
  signIn.broken = { status: 400, body: { error: 'invalid_grant' } }
  await signIn.revokeAll(lastToken())
  for (let times = 0; times < 3; times++) {
    const { error } = (await callTool(access, 'whoami')).json
    assert.equal([error.data.reason, error.data.url], ['connect_required', page], JSON.stringify(error))
  }
  assert.equal(await toolNames(access), ['whoami', 'write'])
  assert.is((await identity())['status'], 'needs_reauth')
  await until('the alert stands', async () => ((await alerts()).length === 1 ? true : undefined))
  assert.match((await mia.get(page)).text, 'your access has expired')

  signIn.broken = null
  await house.connect(mia, 'upstream-mia')
  assert.is(textOf(await callTool(access, 'whoami')), 'upstream-mia')
  assert.is((await identity())['id'], id, 'renewed in place')
  await until('the alert is over', async () => ((await alerts())[0]?.state === 'resolved' ? true : undefined))
})

test('a call that needs more scope leads to a sign-in that asks for all of it, and nothing else stops', async () => {
  server.wants = 'write'
  const { error } = (await callTool(access, 'write')).json
  assert.equal([error.data.reason, error.data.url], ['connect_required', page], JSON.stringify(error))
  assert.is(textOf(await callTool(access, 'whoami')), 'upstream-mia', 'the others go on')
  const shown = await mia.submit(await mia.get(page))
  const asked = new URL(shown.way.find((one) => one.startsWith(signIn.issuer)) ?? '').searchParams.get('scope')
  assert.equal(asked?.split(' ').toSorted(), ['offline_access', 'read', 'write'])
  assert.is(textOf(await callTool(access, 'write')), 'written by upstream-mia')
})

test('an identity that is switched off is out at the next call, and in again at the next', async () => {
  const { id } = await identity()
  await gateway.api('PATCH', `/identities/${String(id)}`, { enabled: false })
  assert.is((await callTool(access, 'whoami')).json.error.data.reason, 'server_disabled')
  await gateway.api('PATCH', `/identities/${String(id)}`, { enabled: true })
  assert.is(textOf(await callTool(access, 'whoami')), 'upstream-mia')
})

test('a sign-in that has forgotten us is registered at anew, and the next person to connect gets in', async () => {
  const registered = signIn.registered.length
  signIn.broken = { status: 401, body: { error: 'invalid_client' } }
  await signIn.revokeAll(lastToken())
  assert.is((await callTool(access, 'whoami')).json.error.data.reason, 'connect_required')
  signIn.broken = null
  await house.connect(mia, 'upstream-mia')
  assert.is(signIn.registered.length, registered + 1)
  assert.is(textOf(await callTool(access, 'whoami')), 'upstream-mia')
})

test('nothing that opens anything is readable in the database or in the log', async () => {
  const { rows } = await pool.query(`select row_to_json(g)::text as text from identity_grants g
    union all select row_to_json(c)::text from upstream_clients c union all select row_to_json(o)::text from one_time o`)
  const all = rows.map(({ text }: { text: string }) => text).join('\n') + gateway.logs()
  assert.ok(rows.length >= 2)
  for (const { authorization } of server.seen)
    if (authorization !== undefined) assert.not.match(all, authorization.slice('Bearer '.length))
  for (const { authorization } of signIn.asked)
    assert.not.match(
      all,
      Buffer.from(authorization?.slice('Basic '.length) ?? '', 'base64')
        .toString()
        .split(':')[1] ?? 'x',
    )
})

test.run()
