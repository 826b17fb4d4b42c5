// time-limit: 180
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startFixture, type Fixture } from '../conformance/fixture.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { ALL, legacyClient, modernClient, type Message } from './clients.js'

/** One legacy server that asks on the stream of its session: nothing in a question says whose call it is. */
let fixture: Fixture
let gateway: RunningGateway
let agents: readonly Access[]
const MANY = 40

const users = Array.from({ length: 10 }, (_, at) => `user-${at}@example.com`)

test.before(async () => {
  fixture = await startFixture({ eras: 'legacy', askOn: 'get' })
  gateway = await startGateway({
    yaml: `version: 1
users: { ${users.map((user) => `${user}: { role: member }`).join(', ')} }
teams: { all: { members: [${users.join(', ')}] } }
servers: { one: { url: "${fixture.url}" } }
gateways: { house: { teams: [all], servers: [{ server: one }] } }
`,
  })
  const mint = (at: number) =>
    gateway.mintToken({ gateway: 'house', host: `agent-${at}`, user: users[at % users.length] as string })
  agents = await Promise.all(Array.from({ length: MANY }, (_, at) => mint(at)))
})
test.after(async () => {
  await gateway.stop()
  await fixture.stop()
})

/** Answers with its own name to whatever is asked, and remembers what was. */
const speaker = (name: string, asked: Message[]) => (question: Message) => {
  asked.push(question)
  return {
    role: 'assistant',
    model: name,
    content: { type: 'text', text: `${name} heard ${question.params.messages[0].content.text}` },
  }
}

interface Spoke {
  readonly name: string
  readonly asked: readonly Message[]
  readonly text: string
}

async function asModern(access: Access, name: string): Promise<Spoke> {
  const asked: Message[] = []
  const client = modernClient(access, { capabilities: ALL, answer: speaker(name, asked) })
  const { answer } = await client.run('tools/call', { name: 'test_sampling', arguments: { prompt: name } })
  return { name, asked, text: answer.json.result.content[0].text }
}

async function asLegacy(access: Access, name: string): Promise<Spoke> {
  const asked: Message[] = []
  const say = speaker(name, asked)
  const client = await legacyClient(access, { capabilities: ALL, answer: (question) => ({ result: say(question) }) })
  const { json } = await client.call('test_sampling', { prompt: name })
  await client.end()
  client.close()
  return { name, asked, text: json.result.content[0].text }
}

function mustBeOwn({ name, asked, text }: Spoke): void {
  assert.equal(
    asked.map(({ params }) => params.messages[0].content.text),
    [name],
  )
  assert.is(text, `LLM response: ${name} heard ${name}`)
}

for (const [clients, run] of [
  ['two modern clients', asModern],
  ['two legacy clients', asLegacy],
] as const)
  test(`each of ${clients} is asked what its own call asks`, async () => {
    const [one, other] = agents as [Access, Access]
    for (const spoke of await Promise.all([run(one, 'first'), run(other, 'second')])) mustBeOwn(spoke)
  })

test('so is each of forty clients of both eras, whoever stands behind them', async () => {
  const all = agents.map((access, at) => (at % 2 === 0 ? asModern : asLegacy)(access, `call-${at}`))
  for (const spoke of await Promise.all(all)) mustBeOwn(spoke)
})

test('so is each call of one client that makes as many at once as may sleep', async () => {
  const [access] = agents as [Access]
  const many = Array.from({ length: 5 }, (_, at) => asModern(access, `mine-${at}`))
  for (const spoke of await Promise.all(many)) mustBeOwn(spoke)
})

test('a legacy client with several calls in one session answers them all, on whichever stream it is asked', async () => {
  const [access] = agents as [Access]
  for (const listens of [false, true]) {
    const client = await legacyClient(access, {
      capabilities: ALL,
      answer: (question) => ({ result: speaker('me', [])(question) }),
    })
    if (listens) await client.listen()
    const names = Array.from({ length: 6 }, (_, at) => `side-${at}`)
    const answers = await Promise.all(names.map((name) => client.call('test_sampling', { prompt: name })))
    answers.forEach(({ json }, at) =>
      assert.is(json.result.content[0].text, `LLM response: me heard ${names[at]}`, `listens: ${listens}`),
    )
    await client.end()
    client.close()
  }
})

test.run()
