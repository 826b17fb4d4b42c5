// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { agreeable, ALL, legacyClient } from '../bridge/clients.js'
import { FORM, heldServer, text } from '../bridge/held-server.js'
import { startGateway } from '../gateway.js'
import { until } from '../until.js'

const isDraining = (url: string) =>
  until('it stops', async () => {
    const answer = await fetch(`${url}/readyz`).then((response) => response.json() as Promise<{ status: string }>)
    return answer.status === 'draining' || undefined
  })

test('a gateway that stops lets its calls end: their questions are answered, and nothing new begins', async () => {
  const server = await heldServer()
  const gateway = await startGateway({
    yaml: `version: 1\nservers: { one: { url: "${server.url}" } }\ngateways: { house: { servers: [{ server: one }] } }\n`,
  })
  const agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  let decide: () => void = () => undefined
  const decided = new Promise<void>((resolve) => (decide = resolve))
  const client = await legacyClient(agent, {
    capabilities: ALL,
    answer: async (question) => (await decided, agreeable(question)),
  })
  const pending = client.call('act', { text: 'last' })
  const held = await server.call('last')
  held.ask('q', 'elicitation/create', FORM)
  await client.asked('elicitation/create')
  const stopped = gateway.stop()
  await isDraining(gateway.url)
  const refused = await client.request('ping')
  assert.equal([refused.status, refused.json.error.code], [503, -32600])
  decide()
  assert.equal((await server.answered('q'))['result'], { action: 'accept', content: { name: 'Ada' } })
  held.ask('r', 'roots/list', {})
  assert.ok('result' in (await server.answered('r')), 'one that is asked while it stops, too')
  held.answer(text('done'))
  assert.is((await pending).json.result.content[0].text, 'done')
  await stopped
  client.close()
  await server.stop()
})

test.run()
