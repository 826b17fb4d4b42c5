// time-limit: 180
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { agreeable, agreed, ALL, legacyClient, modernClient, type Message } from './clients.js'

/** Servers that are commands, of both eras: they ask whoever may be asked, each in a process of its own. */
let gateway: RunningGateway
let home: string
const agents: Record<string, Access> = {}

test.before(async () => {
  home = await makeHome()
  const everything = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'))
  const modern = fileURLToPath(new URL('./modern-stdio.fixture.js', import.meta.url))
  gateway = await startGateway({
    yaml: `version: 1
servers:
  everything: { command: ["${process.execPath}", "${everything}"] }
  modern: { command: ["${process.execPath}", "${modern}", "${join(home, 'heard.jsonl')}"] }
gateways:
  everything: { servers: [{ server: everything }] }
  modern: { servers: [{ server: modern }] }
`,
  })
  for (const name of ['everything', 'modern', 'other'])
    agents[name] = await gateway.mintToken({ gateway: name === 'other' ? 'everything' : name, host: `agent-${name}` })
})
test.after(async () => {
  await gateway.stop()
  await rm(home, { recursive: true, force: true })
})

const textOf = (json: Message): string => json.result.content.map(({ text }: Message) => text ?? '').join('\n')
const namesOf = (json: Message): string[] => json.result.tools.map(({ name }: Message) => name)
const elicited = ({ params }: Message): JsonObject => agreed('elicitation/create', params) as JsonObject

test('who can be asked is shown the tools that ask, who cannot is not', async () => {
  for (const [capabilities, isShown] of [
    [ALL, true],
    [{}, false],
  ] as const) {
    const client = await legacyClient(agents['everything'] as Access, { capabilities, answer: agreeable })
    const modern = modernClient(agents['everything'] as Access, { capabilities })
    for (const { json } of [await client.request('tools/list'), await modern.request('tools/list')])
      assert.is(namesOf(json).includes('trigger-elicitation-request'), isShown)
    await client.end()
    client.close()
  }
})

test('a legacy client is asked by a command in the middle of its calls', async () => {
  const client = await legacyClient(agents['everything'] as Access, { capabilities: ALL, answer: agreeable })
  await client.listen()
  const form = await client.call('trigger-elicitation-request')
  assert.match(textOf(form.json), 'Ada')
  const model = await client.call('trigger-sampling-request', { prompt: 'Say hi', maxTokens: 10 })
  assert.match(textOf(model.json), 'Say hi')
  await until('it knows the folders', async () =>
    textOf((await client.call('get-roots-list')).json).includes('file:///scripted') ? true : undefined,
  )
  const long = await client.call('trigger-long-running-operation', { duration: 0.2, steps: 2 }, { token: 'mine' })
  assert.equal(
    long.before.map(({ params }) => [params.progressToken, params.progress]),
    [
      ['mine', 1],
      ['mine', 2],
    ],
  )
  await client.end()
  client.close()
})

test('a modern client is asked by a command in its results, several of them at once and nobody what another is', async () => {
  const run = async (access: Access, prompt: string) => {
    const asked: Message[] = []
    const client = modernClient(access, {
      capabilities: ALL,
      answer: (question) => (asked.push(question), agreed(question.method, question.params)),
    })
    const given = { name: 'trigger-sampling-request', arguments: { prompt, maxTokens: 10 } }
    const { answer } = await client.run('tools/call', given)
    const sampled = asked.filter(({ method }) => method === 'sampling/createMessage')
    assert.is(sampled.length, 1)
    assert.match(JSON.stringify(sampled[0]), prompt)
    assert.match(textOf(answer.json), prompt)
  }
  await Promise.all([
    run(agents['everything'] as Access, 'first-prompt'),
    run(agents['other'] as Access, 'second-prompt'),
    run(agents['everything'] as Access, 'third-prompt'),
  ])
  const { answer, rounds } = await modernClient(agents['everything'] as Access, {
    capabilities: ALL,
    answer: ({ method, params }) => agreed(method, params),
  }).run('tools/call', { name: 'trigger-elicitation-request', arguments: {} })
  assert.match(textOf(answer.json), 'Ada')
  assert.ok(rounds.length >= 1)
})

test('a modern command asks clients of both eras, its state byte for byte', async () => {
  const legacy = await legacyClient(agents['modern'] as Access, { capabilities: ALL, answer: agreeable })
  const { json } = await legacy.call('ask', { text: 'legacy' })
  assert.is(textOf(json), 'Ada state of legacy legacy')
  await legacy.end()
  legacy.close()
  const { answer } = await modernClient(agents['modern'] as Access, { capabilities: ALL, answer: elicited }).run(
    'tools/call',
    {
      name: 'ask',
      arguments: { text: 'modern' },
    },
  )
  assert.is(textOf(answer.json), 'Ada state of modern modern')
})

test('a modern command tells its progress, and its log to whoever asked for it', async () => {
  const legacy = await legacyClient(agents['modern'] as Access, { capabilities: ALL })
  const old = await legacy.call('talk', {}, { token: 0 })
  assert.equal(
    old.before.map(({ params }) => params.progressToken),
    [0, 0],
  )
  await legacy.end()
  legacy.close()
  const modern = modernClient(agents['modern'] as Access, { capabilities: ALL })
  const quiet = await modern.call('talk', {}, { token: '' })
  assert.equal(
    quiet.before.map(({ method, params }) => [method, params.progressToken]),
    [
      ['notifications/progress', ''],
      ['notifications/progress', ''],
    ],
  )
  const loud = await modern.call('talk', {}, { token: 't', logLevel: 'debug' })
  assert.equal(
    loud.before.map(({ method }) => method),
    ['notifications/progress', 'notifications/progress', 'notifications/message'],
  )
})

test('a client that goes away ends its call at a modern command by a note', async () => {
  const gone = new AbortController()
  const pending = modernClient(agents['modern'] as Access, { capabilities: ALL })
    .call('slow', { text: 'to-be-cancelled' }, { signal: gone.signal })
    .catch(() => 'gone')
  const heard = async () =>
    (await readFile(join(home, 'heard.jsonl'), 'utf8').catch(() => ''))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Message)
  const call = await until('it is called', async () =>
    (await heard()).find(({ params }) => params?.arguments?.text === 'to-be-cancelled'),
  )
  gone.abort()
  assert.is(await pending, 'gone')
  await until('it is told', async () =>
    (await heard()).find(({ method, params }) => method === 'notifications/cancelled' && params.requestId === call.id),
  )
})

test.run()
