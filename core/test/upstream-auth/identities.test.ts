import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { callTool, textOf, toolNames } from './calls.js'
import { openHouse } from './house.js'

const house = await openHouse()
const { server, signIn, gateway, page } = house
test.after(() => house.stop())

test('two people behind one server are two people upstream, and each call is made in its own name', async () => {
  const [mia, max] = [await house.person('mia'), await house.person('max')]
  await house.connect(mia, 'upstream-mia')
  await house.connect(max, 'upstream-max')
  const [asMia, asMax] = [await house.access('mia'), await house.access('max')]
  assert.equal(await toolNames(asMia), ['whoami', 'write'])
  assert.is(textOf(await callTool(asMia, 'whoami')), 'upstream-mia')
  assert.is(textOf(await callTool(asMax, 'whoami')), 'upstream-max')
  assert.is(textOf(await callTool(asMia, 'whoami')), 'upstream-mia')
})

test("neither a client's token nor a cookie ever travels upstream", async () => {
  const access = await house.access('mia')
  server.seen.length = 0
  await callTool(access, 'whoami')
  assert.ok(server.seen.length > 0)
  for (const { headers } of server.seen) {
    const all = JSON.stringify(headers)
    assert.not.match(all, access.token)
    assert.not.match(all, 'API_')
    assert.not.match(all, 'cookie')
  }
})

test('we register once as a confidential client, whoever signs in', async () => {
  assert.is(signIn.registered.length, 1)
  const { body } = signIn.registered[0]!
  assert.is(body['token_endpoint_auth_method'], 'client_secret_basic')
  assert.equal(body['redirect_uris'], [`${gateway.url}/oauth/upstream/callback`])
  assert.ok(signIn.asked.every(({ authorization }) => authorization?.startsWith('Basic ')))
})

test('what was never given hides the tools, says who waits, and a call is told where to give it', async () => {
  const access = await house.access('ann')
  assert.equal(await toolNames(access), [])
  const answer = await callTool(access, 'whoami')
  assert.is(answer.json.error.code, -32603)
  assert.is(answer.json.error.data.reason, 'connect_required')
  assert.is(answer.json.error.data.url, page)
  assert.match(answer.json.error.message, page)
})

test('a client that can open a URL is asked to, and the same call goes through once it is done', async () => {
  const access = await house.access('ann')
  const capabilities = { elicitation: { url: {} } }
  const asked = (await callTool(access, 'whoami', { capabilities })).json.result
  assert.is(asked.resultType, 'input_required')
  assert.is(asked.inputRequests.connect.params.url, page)
  assert.is(asked.inputRequests.connect.params.mode, 'url')
  const back = { requestState: asked.requestState, inputResponses: { connect: { action: 'accept' } } }
  const still = await callTool(access, 'whoami', { capabilities, extra: back })
  assert.is(still.json.error.data.reason, 'connect_required', 'who has not given it is not sent round again')
  await house.connect(await house.person('ann'), 'upstream-ann')
  assert.is(textOf(await callTool(access, 'whoami', { capabilities, extra: back })), 'upstream-ann')
})

test('a client of 2025-11-25 gets the error that leads to a URL where it can open one, and the link in words else', async () => {
  const access = await house.access('zoe')
  const call = async (elicitation: object) => {
    const client = new Client({ name: 'old', version: '1' }, {
      capabilities: { elicitation },
      versionNegotiation: { mode: 'legacy' },
    } as never)
    const requestInit = { headers: { authorization: `Bearer ${access.token}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(access.url), { requestInit }) as never)
    const error = await client.callTool({ name: 'whoami', arguments: {} }).catch((thrown: unknown) => thrown)
    await client.close()
    return error as { code: number; message: string; data?: { elicitations?: { mode: string; url: string }[] } }
  }
  const able = await call({ form: {}, url: {} })
  assert.is(able.code, -32042)
  assert.equal(
    able.data?.elicitations?.map(({ mode, url }) => [mode, url]),
    [['url', page]],
  )
  const unable = await call({ form: {} })
  assert.is(unable.code, -32603)
  assert.match(unable.message, page)
})

test('an access that was taken back asks for it again, and gives nothing away meanwhile', async () => {
  const ann = await house.person('ann')
  const shown = await ann.get(page)
  const after = await ann.submit(shown, { do: 'remove' }, 1)
  assert.match(after.text, 'needs your account')
  const answer = await callTool(await house.access('ann'), 'whoami')
  assert.is(answer.json.error.data.reason, 'connect_required')
})

test('nothing of it is in any answer of the API', async () => {
  const all = JSON.stringify([await gateway.api('GET', '/identities'), await gateway.api('GET', '/servers')])
  const bearer = server.seen.map(({ authorization }) => authorization?.slice('Bearer '.length)).find((one) => one)
  assert.ok(bearer)
  assert.not.match(all, bearer!)
  assert.match(all, '"kind":"oauth"')
})

test.run()
