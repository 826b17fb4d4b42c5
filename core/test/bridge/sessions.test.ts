// time-limit: 180
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { agreeable, ALL, legacyClient, type Message } from './clients.js'
import { FORM, heldServer, text, type HeldServer } from './held-server.js'

/** A legacy client and a legacy server, session with session: what is said there outside of any call. */
let server: HeldServer
let gateway: RunningGateway
let agent: Access
let folders: readonly [string, string]

test.before(async () => {
  server = await heldServer({ stands: true })
  const home = await makeHome()
  folders = [join(home, 'given'), join(home, 'of-client')]
  for (const folder of folders) {
    await mkdir(folder)
    await writeFile(join(folder, 'hello.txt'), 'Hello.\n')
  }
  const files = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'))
  gateway = await startGateway({
    yaml: `version: 1
servers:
  one: { url: "${server.url}", title: The first }
  two: { url: "${server.url}", title: The second }
  files: { command: ["${process.execPath}", "${files}", "${folders[0]}"] }
gateways:
  house:
    servers: [{ server: one }]
    rules:
      - { name: onlyOther, engine: regex, hook: both, patterns: ['secret-\\d+'], action: block, features: [other] }
  pair: { servers: [{ server: one }, { server: two }] }
  files: { servers: [{ server: files }] }
`,
  })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

let calls = 0
/** A session of a client that is paired with one at the server, with a call under way. */
async function paired(access = agent, options: Parameters<typeof legacyClient>[1] = {}, tool = 'act') {
  const client = await legacyClient(access, { capabilities: ALL, answer: agreeable, ...options })
  const name = `call-${(calls += 1)}`
  const pending = client.call(tool, { text: name })
  const held = await server.call(name)
  const close = async () => {
    held.answer(text('done'))
    const answer = await pending
    await client.end()
    client.close()
    return answer
  }
  return { client, held, pending, session: server.sessionOf(held), name, close }
}
const questionsOn = ({ heard }: Awaited<ReturnType<typeof paired>>['client']) =>
  heard.flatMap(({ message, on }) =>
    message.method !== undefined && message.id !== undefined ? [[on, message.method]] : [],
  )

test('folders that a server asks for at the start reach the client on its standing stream', async () => {
  const { client, session, name, close } = await paired()
  await client.listen()
  server.push(session, { id: `roots-${name}`, method: 'roots/list' })
  assert.equal((await server.answered(`roots-${name}`))['result'], {
    roots: [{ uri: 'file:///scripted', name: 'scripted' }],
  })
  assert.equal(questionsOn(client), [['standing', 'roots/list']])
  await close()
})

test('without a standing stream they reach it on the newest call, which may end before the answer', async () => {
  let decide: () => void = () => undefined
  const decided = new Promise<void>((resolve) => (decide = resolve))
  const { client, held, pending, session, name } = await paired(agent, {
    answer: async (question) => (await decided, agreeable(question)),
  })
  server.push(session, { id: `roots-${name}`, method: 'roots/list', params: {} })
  await client.asked('roots/list')
  held.answer(text('over'))
  assert.is((await pending).json.result.content[0].text, 'over')
  decide()
  assert.ok('result' in (await server.answered(`roots-${name}`)))
  await client.end()
  client.close()
})

test('how far its client is with a question is told to a server that gave a token, on either stream', async () => {
  let decide: () => void = () => undefined
  const decided = new Promise<void>((resolve) => (decide = resolve))
  const { client, held, session, name, close } = await paired(agent, {
    answer: async (question) => (await decided, agreeable(question)),
  })
  const params = { ...FORM, _meta: { progressToken: `form-${name}`, 'x-own': 1 } }
  held.ask(`q-${name}`, 'elicitation/create', params)
  const { message: form } = await client.asked('elicitation/create')
  assert.equal(form.params._meta, { progressToken: form.id, 'x-own': 1 })
  server.push(session, { id: `r-${name}`, method: 'roots/list', params: { _meta: { progressToken: 7 } } })
  const { message: roots } = await client.asked('roots/list')
  const told = (progressToken: unknown) =>
    until('the server hears of it', () => server.seen.find(isProgress(progressToken))?.body['params'])
  const isProgress =
    (token: unknown) =>
    ({ body }: Message) =>
      body.method === 'notifications/progress' && body.params.progressToken === token
  const say = (progressToken: string, progress: number, message: string) =>
    client.say({ method: 'notifications/progress', params: { progressToken, progress, message } })
  assert.is(await say(form.id, 0.5, 'half'), 202)
  assert.is(await say(roots.id, 1, 'looking'), 202)
  assert.equal(await told(`form-${name}`), { progress: 0.5, message: 'half', progressToken: `form-${name}` })
  assert.equal(await told(7), { progress: 1, message: 'looking', progressToken: 7 })
  decide()
  await server.answered(`q-${name}`)
  await server.answered(`r-${name}`)
  const before = server.seen.length
  assert.is(await say(form.id, 0.9, 'late'), 202)
  await close()
  assert.not(server.seen.slice(before).some(isProgress(`form-${name}`)))
})

test('a real server of files takes its folders from the client that it serves, and from no other', async () => {
  const access = await gateway.mintToken({ gateway: 'files', host: 'agent' })
  const roots = { roots: [{ uri: `file://${folders[1]}`, name: 'mine' }] }
  const mine = await legacyClient(access, {
    capabilities: ALL,
    answer: ({ method }) => (method === 'roots/list' ? { result: roots } : undefined),
  })
  await mine.listen()
  const plain = await legacyClient(access, {})
  const allowed = async (client: typeof mine) =>
    (await client.call('list_allowed_directories')).json.result.content[0].text as string
  await until('it has the folders of its client', async () =>
    (await allowed(mine)).includes(folders[1]) ? true : undefined,
  )
  assert.match(await allowed(plain), folders[0])
  assert.not.match(await allowed(plain), folders[1])
  // When the client says that they changed, the server asks again.
  roots.roots = [{ uri: `file://${folders[0]}`, name: 'mine' }]
  assert.is(await mine.say({ method: 'notifications/roots/list_changed' }), 202)
  await until('it asks again', async () => ((await allowed(mine)).includes(folders[0]) ? true : undefined))
  for (const client of [mine, plain]) {
    await client.end()
    client.close()
  }
})

test('a change of folders is told to the paired sessions of that client alone', async () => {
  const [mine, theirs] = [await paired(), await paired()]
  assert.is(await mine.client.say({ method: 'notifications/roots/list_changed' }), 202)
  const isNote = ({ body }: Message) => body.method === 'notifications/roots/list_changed'
  await until('it is told', () => server.seen.find(isNote))
  await mine.close()
  await theirs.close()
  assert.equal(
    server.seen.filter(isNote).map(({ headers }) => headers['mcp-session-id']),
    [mine.session],
  )
})

test('with several calls under way, a question of the session is looked at by every rule for its server', async () => {
  const { client, session, name, close } = await paired()
  await client.listen()
  const second = client.call('act', { text: `${name}-2` })
  const held = await server.call(`${name}-2`)
  server.push(session, { id: `${name}-q`, method: 'elicitation/create', params: { ...FORM, message: 'secret-1' } })
  assert.ok('error' in (await server.answered(`${name}-q`)))
  server.push(session, { id: `${name}-r`, method: 'elicitation/create', params: { ...FORM, message: 'harmless' } })
  assert.ok('result' in (await server.answered(`${name}-r`)))
  server.push(session, { method: 'notifications/message', params: { level: 'info', data: 'secret-2' } })
  server.push(session, { method: 'notifications/message', params: { level: 'info', data: 'harmless' } })
  await until('the note is heard', () => client.heard.find(({ message }) => message.params?.data === 'harmless'))
  assert.not.match(JSON.stringify(client.heard), 'secret-')
  held.answer(text('done'))
  await second
  await close()
})

test('the log of a session is heard from the level on that its client set last, at once', async () => {
  const { client, session, close } = await paired()
  await client.listen()
  const log = (level: string, data: string) =>
    server.push(session, { method: 'notifications/message', params: { level, data } })
  const heard = () =>
    client.heard.flatMap(({ message }) => (message.method === 'notifications/message' ? [message.params.data] : []))
  log('info', 'before')
  await until('all is heard before a level is set', () => heard()[0])
  await client.request('logging/setLevel', { level: 'error' })
  log('info', 'below')
  log('error', 'above')
  await until('what is above is heard', () => (heard().includes('above') ? true : undefined))
  assert.equal(heard(), ['before', 'above'])
  await close()
})

test('of two servers the person sees which one asks, in a call and outside of one', async () => {
  const access = await gateway.mintToken({ gateway: 'pair', host: 'agent' })
  const { client, held, session, name, close } = await paired(access)
  await client.listen()
  held.ask(`${name}-call`, 'elicitation/create', FORM)
  await server.answered(`${name}-call`)
  const other = client.call('act', { text: `${name}-2` })
  const second = await server.call(`${name}-2`)
  server.push(session, { id: `${name}-session`, method: 'elicitation/create', params: FORM })
  await server.answered(`${name}-session`)
  const said = client.heard.flatMap(({ message }) =>
    message.method === 'elicitation/create' ? [message.params.message] : [],
  )
  assert.equal(said, [`[The first] ${FORM.message}`, `[The first] ${FORM.message}`])
  second.answer(text('done'))
  await other
  await close()
})

test('a session that ends while a question waits cancels the form, and its paired session ends too', async () => {
  const { client, held, session, name, pending } = await paired(agent, { answer: () => undefined })
  held.ask(`${name}-q`, 'elicitation/create', FORM)
  await client.asked('elicitation/create')
  assert.is(await client.end(), 200)
  assert.equal((await server.answered(`${name}-q`))['result'], { action: 'cancel' })
  held.answer(text('done'))
  await pending
  await until('its session is ended', () => !server.sessions().includes(session) || undefined)
  client.close()
})

test('an answer is taken once, with its own id, from its own session', async () => {
  const asked = await paired(agent, { answer: () => undefined })
  const stranger = await paired(agent, { answer: () => undefined })
  asked.held.ask(0, 'elicitation/create', FORM)
  const { message } = await asked.client.asked('elicitation/create')
  const answer = (name: string) => ({ result: { action: 'accept', content: { name } } })
  assert.is(typeof message.id, 'string')
  // What is the answer to nothing is taken without a word, so that nobody learns what is asked of others.
  assert.is(await stranger.client.say({ id: message.id, ...answer('stranger') }), 202)
  for (const id of [0, '', 1.5, 'r.1', `${message.id} `, Number.MAX_SAFE_INTEGER])
    assert.ok([202, 400].includes(await asked.client.say({ id, ...answer('wrong id') })), String(id))
  const [first, second] = await Promise.all([
    asked.client.say({ id: message.id, ...answer('Ada') }),
    asked.client.say({ id: message.id, ...answer('twice') }),
  ])
  assert.equal([first, second], [202, 202])
  const { result } = (await server.answered(0)) as { result: { content: { name: string } } }
  assert.ok(['Ada', 'twice'].includes(result.content.name))
  assert.is(server.seen.filter(({ body }) => body['id'] === 0 && !('method' in body)).length, 1)
  await asked.close()
  await stranger.close()
})

test('an answer that is none fails its question at once', async () => {
  for (const broken of [
    { result: 'x' },
    { result: null },
    { error: 'x' },
    { error: { code: 'x', message: 'y' } },
  ] as JsonObject[]) {
    const { client, held, name, close } = await paired(agent, { answer: () => undefined })
    held.ask(`${name}-q`, 'sampling/createMessage', { messages: [], maxTokens: 1 })
    const { message } = await client.asked('sampling/createMessage')
    assert.is(await client.say({ id: message.id, ...broken }), 400)
    assert.ok('error' in (await server.answered(`${name}-q`)))
    await close()
  }
})

test('a question that its server takes back is taken back at the client', async () => {
  const { client, held, name, close } = await paired(agent, { answer: () => undefined })
  held.ask(`${name}-q`, 'elicitation/create', FORM)
  const { message } = await client.asked('elicitation/create')
  held.say({ method: 'notifications/cancelled', params: { requestId: `${name}-q` } })
  await until('it is taken back', () =>
    client.heard.find(
      ({ message: said }) => said.method === 'notifications/cancelled' && said.params.requestId === message.id,
    ),
  )
  await close()
})

test('a call that its client takes back ends without a response, at the server too, with the question that waited', async () => {
  const client = await legacyClient(agent, { capabilities: ALL })
  const pending = client.call('act', { text: 'taken-back' }, { id: 'mine' })
  const held = await server.call('taken-back')
  held.ask('taken-back-q', 'elicitation/create', FORM)
  await client.asked('elicitation/create')
  assert.is(await client.say({ method: 'notifications/cancelled', params: { requestId: 'mine', reason: 'no' } }), 202)
  assert.is((await pending).json, undefined)
  await server.cancelled(held)
  await client.end()
  client.close()
})

test('a server that asks ten thousand times at once opens no connection for each, and breaks nobody', async () => {
  const { client, held, close } = await paired(agent, { answer: () => undefined })
  const refused = () => server.seen.filter(({ body }) => String(body['id']).startsWith('flood-') && 'error' in body)
  for (let at = 0; at < 10_000; at += 1) held.ask(`flood-${at}`, 'elicitation/create', FORM)
  await until('some are refused', () => refused()[0])
  const other = await paired()
  assert.is((await other.close()).json.result.content[0].text, 'done')
  assert.is((await close()).json.result.content[0].text, 'done')
  assert.is(client.heard.filter(({ message }) => message.method === 'elicitation/create').length, 32)
  assert.ok(refused().length < 5_000, `${refused().length}`)
})

test('a question behind the answer of its call reaches nobody on that stream', async () => {
  const { client, held, pending, name } = await paired()
  held.seen.res.write(
    [
      `data: ${JSON.stringify({ jsonrpc: '2.0', id: held.seen.body['id'], result: text('done') })}`,
      `data: ${JSON.stringify({ jsonrpc: '2.0', id: `${name}-late`, method: 'elicitation/create', params: FORM })}`,
      '',
    ].join('\n\n'),
  )
  held.seen.res.end()
  await pending
  await client.request('ping')
  assert.equal(questionsOn(client), [])
  await client.end()
  client.close()
})

test('a session at another gateway is not this one’s', async () => {
  const access = await gateway.mintToken({ gateway: 'pair', host: 'agent' })
  const { client, held, name, close } = await paired(agent, { answer: () => undefined })
  held.ask(`${name}-q`, 'elicitation/create', FORM)
  const { message } = await client.asked('elicitation/create')
  const response = await fetch(access.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${access.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': client.session,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { action: 'accept' } }),
  })
  assert.is(response.status, 404)
  assert.is(server.seen.filter(({ body }) => body['id'] === `${name}-q` && !('method' in body)).length, 0)
  await close()
})

test.run()
