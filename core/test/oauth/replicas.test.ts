// time-limit: 300
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answering, fakeUpstream } from '../fake-upstream.js'
import { startCluster } from '../replicas/cluster.js'
import { until } from '../until.js'
import { roundRobin } from '../replicas/round-robin.js'
import { createAiClient } from './ai-client.js'
import { oauthYaml, openSession } from './house.js'
import { createTestBrowser } from './test-browser.js'

const upstream = await fakeUpstream(answering({ content: [{ type: 'text', text: 'done' }], resultType: 'complete' }))
const targets: string[] = []
const balancer = await roundRobin(targets)
const cluster = await startCluster({ yaml: oauthYaml(upstream.url, ''), env: { GATEHOUSE_URL: balancer.url } })
for (const { home } of cluster.gateways)
  targets.push((JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { url: string }).url)
const database = new Client({ connectionString: cluster.gateways[0]?.databaseUrl ?? '' })
await database.connect()
const sql = async (text: string, given: readonly unknown[] = []) => (await database.query(text, [...given])).rows
test.after(async () => {
  await database.end()
  await cluster.stop()
  await balancer.stop()
  await upstream.stop()
})
const { url } = balancer

async function person() {
  const browser = createTestBrowser(url)
  await openSession(sql, browser, 'ann@example.com')
  return browser
}
const statusAt = async (base: string, token: string) => {
  const response = await fetch(`${base}/mcp/eng`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'act', arguments: {} } }),
  })
  await response.text()
  return response.status
}

test('the keys are made once, however many start together', async () => {
  const keys = await sql(`select use, state from oauth_keys order by use`)
  await Promise.all(targets.map((target) => fetch(`${target}/oauth/jwks`)))
  const after = await sql(`select use, state from oauth_keys order by use`)
  assert.ok(keys.length <= 2)
  assert.equal(after, [
    { use: 'cookie', state: 'current' },
    { use: 'signing', state: 'current' },
  ])
  const sets = await Promise.all(targets.map(async (target) => (await fetch(`${target}/oauth/jwks`)).text()))
  assert.is(sets[0], sets[1])
})

test('twenty ways in, each request at the other replica, all come through', async () => {
  for (let n = 0; n < 20; n += 1) {
    const client = createAiClient(url)
    const tokens = await client.connect(await person(), `${url}/mcp/eng`)
    assert.is(await statusAt(url, tokens.access_token), 200)
  }
})

test('one refresh token at both replicas at once is used as often as the window lets it', async () => {
  const client = createAiClient(url)
  const tokens = await client.connect(await person(), `${url}/mcp/eng`)
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(tokens.refresh_token)))
  assert.is(answers.filter(({ status }) => status === 200).length, 5)
})

test('without a window it is used once, wherever it is sent', async () => {
  await cluster.gateways[0]?.api('PATCH', '/settings', { refreshReuse: { seconds: 0 } })
  const client = createAiClient(url)
  const tokens = await client.connect(await person(), `${url}/mcp/eng`)
  // The other replica has heard of the setting by then.
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(tokens.refresh_token)))
  assert.ok(answers.filter(({ status }) => status === 200).length <= 1)
  await cluster.gateways[0]?.api('PATCH', '/settings', { refreshReuse: { seconds: 60 } })
})

test('what is revoked at one replica is refused at the other within a second', async () => {
  const client = createAiClient(url)
  const tokens = await client.connect(await person(), `${url}/mcp/eng`)
  for (const target of targets) assert.is(await statusAt(target, tokens.access_token), 200)
  await client.revoke(tokens.refresh_token)
  for (const target of targets) {
    const refused = async () => ((await statusAt(target, tokens.access_token)) === 401 ? true : undefined)
    await until('it is refused', refused, { seconds: 1 })
  }
})

test.run()
