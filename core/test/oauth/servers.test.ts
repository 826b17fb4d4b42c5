import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answerJson, fakeUpstream } from '../fake-upstream.js'
import { allow, codeIn, createAiClient } from './ai-client.js'
import { oauthHouse } from './house.js'

/** Tells with which key it was called. */
const upstream = await fakeUpstream((seen) =>
  answerJson(seen, {
    result: { content: [{ type: 'text', text: `key ${String(seen.headers['x-key'])}` }], resultType: 'complete' },
  }),
)
const yaml = `version: 1
users: { ann@example.com: {} }
teams: { engineering: { members: [ann@example.com] } }
servers:
  mine: { title: My tickets, url: "${upstream.url}", auth: { headers: [X-Key] } }
gateways:
  eng: { title: Engineering, teams: [engineering], servers: [ { server: mine, identity: per-user } ] }
`
const house = await oauthHouse({ yaml })
test.after(async () => {
  await house.stop()
  await upstream.stop()
})
const { url } = house
const eng = `${url}/mcp/eng`

const begin = async () => {
  const client = createAiClient(url)
  await client.register()
  const browser = await house.person('ann@example.com')
  const begun = client.begin(eng)
  return { client, browser, verifier: begun.verifier, page: await browser.get(begun.url) }
}

test('a server that acts as each person may be skipped, and connected later', async () => {
  const { client, browser, page, verifier } = await begin()
  assert.match(page.text, 'My tickets')
  assert.match(page.text, 'needs your account')
  assert.match(page.text, 'Allow, and connect the rest later')
  const { json } = await client.exchange(codeIn(await allow(browser, page)), verifier)
  const answer = await house.call('/mcp/eng', json.access_token)
  assert.is(answer.status, 200)
  assert.match(await answer.text(), /"error"/, 'nobody is called as somebody else')
})

test('a person gives it on the way, comes back to the same page, and is called as themselves', async () => {
  const { client, browser, page, verifier } = await begin()
  const after = await browser.press(page, 'Connect My tickets', { 'header.X-Key': 'anns-own-key' })
  assert.match(after.url, '/oauth/interaction/')
  assert.match(after.text, 'connected')
  assert.not.match(after.text, 'anns-own-key')
  assert.not.match(after.text, 'connect the rest later')
  const { json } = await client.exchange(codeIn(await allow(browser, after)), verifier)
  const answered = await (await house.call('/mcp/eng', json.access_token)).text()
  assert.match(answered, 'key anns-own-key', answered)
})

test('what is held already is not asked for again', async () => {
  const { page } = await begin()
  assert.match(page.text, 'connected')
  assert.not.match(page.text, 'header.X-Key')
})

test('nobody gives an identity by a form from elsewhere', async () => {
  const { browser, page } = await begin()
  const forged = new URLSearchParams({ server: 'mine', 'header.X-Key': 'evil' })
  assert.is((await browser.post(`${page.url}/enrol?gateway=eng`, forged)).status, 403)
})

test.run()
