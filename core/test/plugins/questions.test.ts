// time-limit: 120
import { rm } from 'node:fs/promises'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ALL, legacyClient, modernClient } from '../bridge/clients.js'
import { FORM, heldServer, text, type HeldServer } from '../bridge/held-server.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { homeWith } from './plugin-file.js'

/** Masks what is asked and what is answered, in the one form that it knows; one question it does not let pass. */
const LISTENER = `setup(context) {
  const masked = (value) => JSON.parse(JSON.stringify(value).replaceAll('secret', '***'))
  context.on('feature.response', ({ result }) => {
    if (result.resultType !== 'input_required') return pass()
    return JSON.stringify(result).includes('never') ? block('Not to be asked.') : modify({ result: masked(result) })
  })
  context.on('feature.request', ({ params }) =>
    params.inputResponses === undefined ? pass() : modify({ params: masked(params) }))
}`

let home: string
let server: HeldServer
let gateway: RunningGateway
let agent: Access
test.before(async () => {
  server = await heldServer()
  home = await homeWith({ 'test-listener': LISTENER })
  gateway = await startGateway({
    home,
    yaml: `version: 1
plugins: [{ use: ./test-listener.mjs }]
servers: { talker: { url: "${server.url}" } }
gateways: { house: { servers: [{ server: talker }] } }
`,
  })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const ANSWER: JsonObject = { action: 'accept', content: { name: 'a secret' } }
const MASKED = { action: 'accept', content: { name: 'a ***' } }
const ask = (message: string) => ({ ...FORM, message })

test('plugins see and change what a legacy client is asked, and what it answers', async () => {
  const client = await legacyClient(agent, { capabilities: ALL, answer: () => ({ result: ANSWER }) })
  const pending = client.call('act', { text: 'legacy' })
  const held = await server.call('legacy')
  held.ask('q-legacy', 'elicitation/create', ask('Your secret?'))
  assert.equal((await server.answered('q-legacy'))['result'], MASKED)
  assert.is((await client.asked('elicitation/create')).message.params.message, 'Your ***?')
  held.ask('q-never', 'elicitation/create', ask('never'))
  const refused = (await server.answered('q-never'))['error'] as JsonObject
  assert.equal([refused.code, refused.message], [-32603, 'Not to be asked.'])
  held.answer(text('done'))
  assert.is((await pending).json.result.content[0].text, 'done')
  await client.end()
  client.close()
})

test('and the same of a modern client', async () => {
  const client = modernClient(agent, { capabilities: ALL })
  const given = { text: 'modern' }
  const pending = client.call('act', given)
  const held = await server.call('modern')
  held.ask('q-modern', 'elicitation/create', ask('Your secret?'))
  const asked = await pending
  assert.is(asked.json.result.inputRequests.q1.params.message, 'Your ***?')
  const next = client.again('act', asked, { q1: ANSWER }, { given })
  assert.equal((await server.answered('q-modern'))['result'], MASKED)
  held.answer(text('done'))
  assert.is((await next).json.result.content[0].text, 'done')
})

test.run()
