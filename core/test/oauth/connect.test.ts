import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allow, codeIn, createAiClient } from './ai-client.js'
import { oauthHouse } from './house.js'

const house = await oauthHouse()
test.after(() => house.stop())
const { url } = house

test('an AI client registers, its person allows it, and its first tool call is answered', async () => {
  const client = createAiClient(url)
  assert.is((await client.register()).status, 201)
  const browser = await house.person('ann@example.com')
  const resource = `${url}/mcp/eng`
  const begun = client.begin(resource)
  const page = await browser.get(begun.url)
  assert.match(page.text, 'Tester')
  assert.match(page.text, 'this computer', 'the place is the headline')
  assert.match(page.text, 'Engineering')
  const left = await allow(browser, page)
  assert.is(left.leftFor?.searchParams.get('state'), begun.state)
  assert.is(left.leftFor?.searchParams.get('iss'), url, 'RFC 9207')
  const { status, json } = await client.exchange(codeIn(left), begun.verifier, { resource })
  assert.is(status, 200, JSON.stringify(json))
  assert.is(json.token_type, 'Bearer')
  assert.is(json.expires_in, 3600)
  assert.ok(json.refresh_token)
  const answer = await house.call('/mcp/eng', json.access_token)
  assert.is(answer.status, 200)
  assert.match(await answer.text(), 'done')
})

test('a client without a gateway in its URL gets the one that its person chooses', async () => {
  const client = createAiClient(url)
  await client.register()
  const browser = await house.person('carl@example.com')
  const begun = client.begin(`${url}/mcp`)
  const page = await browser.get(begun.url)
  assert.match(page.text, 'Operations')
  const left = await allow(browser, page, 'ops')
  const { json } = await client.exchange(codeIn(left), begun.verifier, { resource: `${url}/mcp` })
  assert.is((await house.call('/mcp', json.access_token)).status, 200)
  assert.is((await house.call('/mcp/ops', json.access_token)).status, 200)
  assert.is((await house.call('/mcp/eng', json.access_token)).status, 401, 'of another gateway')
})

test('refresh tokens rotate, and what they bring opens the same door', async () => {
  const browser = await house.person('ann@example.com')
  const client = createAiClient(url)
  const first = await client.connect(browser, `${url}/mcp/eng`)
  const { status, json } = await client.refresh(first.refresh_token)
  assert.is(status, 200, JSON.stringify(json))
  assert.is.not(json.refresh_token, first.refresh_token)
  assert.is((await house.call('/mcp/eng', json.access_token)).status, 200)
})

test.run()
