import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAiClient, PUBLIC, register } from './ai-client.js'
import { oauthHouse } from './house.js'

const house = await oauthHouse({ settings: '{ limits: { registrations: 5 } }' })
test.after(() => house.stop())
const { url } = house

test('a flood of registrations is held off, and leaves one row and no host', async () => {
  const answers = []
  for (let n = 0; n < 30; n += 1)
    answers.push(await register(url, { ...PUBLIC, redirect_uris: [`http://127.0.0.1:${5000 + n}/callback`] }))
  assert.is(answers.filter(({ status }) => status === 201).length, 15, 'three times as many at once as in a minute')
  const held = answers.filter(({ status }) => status === 429)
  assert.is(held.length, 15)
  assert.ok(Number(held[0]?.headers.get('retry-after')) > 0)
  assert.is(held[0]?.json.error, 'temporarily_unavailable')
  const [clients] = await house.sql('select count(*)::int as n from oauth_clients')
  const [hosts] = await house.sql(`select count(*)::int as n from hosts where kind = 'oauth'`)
  assert.equal([clients?.['n'], hosts?.['n']], [1, 0])
})

test('the limit is a setting, and holds at once', async () => {
  await house.gateway.api('PATCH', '/settings', { limits: { registrations: 50 } })
  assert.is((await register(url, PUBLIC)).status, 201)
})

test('what the token endpoint is asked is held off as well', async () => {
  const client = createAiClient(url)
  await client.register()
  const statuses = new Set<number>()
  for (let n = 0; n < 620 && !statuses.has(429); n += 20)
    for (const { status } of await Promise.all(Array.from({ length: 20 }, () => client.refresh('x'))))
      statuses.add(status)
  assert.equal([...statuses].toSorted(), [400, 429])
})

test('a body past all measure is refused', async () => {
  const { status } = await register(url, { ...PUBLIC, client_name: 'x'.repeat(200_000) })
  assert.ok(status === 413 || status === 400, String(status))
})

test('requests that no client of ours would send are answered, not suffered', async () => {
  const odd = [
    `${url}/oauth/authorize`,
    `${url}/oauth/authorize?client_id[]=1&client_id=2`,
    `${url}/oauth/authorize?client_id=${'x'.repeat(5_000)}`,
    `${url}/oauth/authorize?client_id=a&prompt=select_account&scope=%00`,
    `${url}/oauth/interaction/nothing`,
    `${url}/oauth/interaction/${'x'.repeat(64)}`,
    `${url}/oauth/authorize/nothing`,
  ]
  for (const at of odd) {
    const { status } = await fetch(at, { redirect: 'manual', headers: { accept: 'text/html' } })
    assert.ok(status >= 400 && status < 500, `${at.slice(0, 90)}: ${status}`)
  }
  for (const body of [
    '',
    'x',
    '{',
    '[]',
    'null',
    '{"redirect_uris":null}',
    '{"redirect_uris":[1,{}]}',
    '{"client_name":{"a":1},"redirect_uris":["https://a.example/"]}',
  ]) {
    const response = await fetch(`${url}/oauth/register`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    assert.ok(
      response.status === 201 || (response.status >= 400 && response.status < 500),
      `${body}: ${response.status}`,
    )
  }
  assert.is((await fetch(`${url}/healthz`)).status, 200)
})

test.run()
