// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startFixture, type Fixture } from '../conformance/fixture.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { agreeable, agreed, ALL, legacyClient, modernClient, type Message } from './clients.js'

/** The 2x2 of eras, the legacy one with questions on either of its streams: each asks all that can be asked. */
const SERVERS = {
  modern: { eras: 'modern' },
  post: { eras: 'legacy', askOn: 'post' },
  get: { eras: 'legacy', askOn: 'get' },
} as const
type ServerName = keyof typeof SERVERS

let fixtures: Record<ServerName, Fixture>
let gateway: RunningGateway
const agents = {} as Record<ServerName, Access>

test.before(async () => {
  const started = await Promise.all(Object.entries(SERVERS).map(async ([name, how]) => [name, await startFixture(how)]))
  fixtures = Object.fromEntries(started) as Record<ServerName, Fixture>
  const servers = Object.entries(fixtures).map(([name, { url }]) => `  ${name}: { url: "${url}" }`)
  const gateways = Object.keys(fixtures).map((name) => `  ${name}: { servers: [{ server: ${name} }] }`)
  gateway = await startGateway({
    yaml: `version: 1\nservers:\n${servers.join('\n')}\ngateways:\n${gateways.join('\n')}\n`,
  })
  for (const name of Object.keys(SERVERS) as ServerName[])
    agents[name] = await gateway.mintToken({ gateway: name, host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await Promise.all(Object.values(fixtures).map(({ stop }) => stop()))
})

interface Outcome {
  readonly result: Message
  /** What was asked, in order. */
  readonly asked: readonly Message[]
}
type Run = (server: ServerName, method: string, params: JsonObject) => Promise<Outcome>

const asLegacy: Run = async (server, method, params) => {
  const asked: Message[] = []
  const client = await legacyClient(agents[server], {
    capabilities: ALL,
    answer: (question) => (asked.push(question), agreeable(question)),
  })
  const { json } = await client.request(method, params)
  await client.end()
  client.close()
  return { result: json.result ?? json, asked }
}
const asModern: Run = async (server, method, params) => {
  const client = modernClient(agents[server], {
    capabilities: ALL,
    answer: ({ method: asked, params: how }) => agreed(asked, how),
  })
  const { answer, rounds } = await client.run(method, params)
  return { result: answer.json.result ?? answer.json, asked: rounds.flatMap((round) => Object.values(round)) }
}

const tool = (name: string, given: JsonObject = {}) => ['tools/call', { name, arguments: given }] as const
const textOf = ({ content, messages }: Message): string => (content ?? [messages[0].content])[0].text
const methodsOf = (asked: readonly Message[]) => asked.map(({ method }) => method).toSorted()

for (const server of Object.keys(SERVERS) as ServerName[])
  for (const [era, run] of [
    ['legacy', asLegacy],
    ['modern', asModern],
  ] as const) {
    const between = `between a ${era} client and a server that asks by ${server}`

    test(`a form is filled in ${between}`, async () => {
      const { result, asked } = await run(server, ...tool('test_elicitation', { message: 'Who are you?' }))
      assert.is(textOf(result), 'User response: action=accept, content={"username":"ada","email":"ada@example.com"}')
      assert.is(asked[0].params.message, 'Who are you?')
      assert.equal(asked[0].params.requestedSchema.required, ['username', 'email'])
    })

    test(`a model is asked ${between}`, async () => {
      const { result, asked } = await run(server, ...tool('test_sampling', { prompt: 'Say hi' }))
      assert.is(textOf(result), 'LLM response: to: Say hi')
      assert.equal(asked[0].params.messages, [{ role: 'user', content: { type: 'text', text: 'Say hi' } }])
      assert.is(asked[0].params.maxTokens, 100)
    })

    test(`folders are asked for ${between}`, async () => {
      const { result, asked } = await run(server, ...tool('test_input_required_result_list_roots'))
      assert.is(textOf(result), 'Roots: file:///scripted')
      assert.equal(methodsOf(asked), ['roots/list'])
    })

    test(`three things are asked at once, with a state, ${between}`, async () => {
      const { result, asked } = await run(server, ...tool('test_input_required_result_multiple_inputs'))
      assert.is(textOf(result), 'to: Write a greeting. Ada (1 roots)')
      assert.equal(methodsOf(asked), ['elicitation/create', 'roots/list', 'sampling/createMessage'])
    })

    test(`one thing is asked after the other ${between}`, async () => {
      const { result, asked } = await run(server, ...tool('test_input_required_result_multi_round'))
      assert.is(textOf(result), 'Ada likes blue')
      assert.equal(methodsOf(asked), ['elicitation/create', 'elicitation/create'])
    })

    test(`a prompt asks too ${between}`, async () => {
      const { result } = await run(server, 'prompts/get', { name: 'test_input_required_result_prompt' })
      assert.is(textOf(result), 'The context is: tests')
    })

    test(`every form of choosing reaches the person ${between}`, async () => {
      const { asked } = await run(server, ...tool('test_elicitation_sep1330_enums'))
      const { properties } = asked[0].params.requestedSchema
      assert.equal(Object.keys(properties), [
        'untitledSingle',
        'titledSingle',
        'legacyEnum',
        'untitledMulti',
        'titledMulti',
      ])
      assert.equal(properties.titledMulti.items.anyOf[1], { const: 'value2', title: 'Second Choice' })
      assert.equal(properties.legacyEnum.enumNames, ['Option One', 'Option Two', 'Option Three'])
    })
  }

test('each request of all this has its four legs, however often its server asked in between', async () => {
  const four = ['proxy_request_success', 'mcp_request_success', 'mcp_response_success', 'proxy_response_success']
  for (const server of Object.keys(SERVERS) as ServerName[]) {
    const recorded = await gateway.recorded(agents[server])
    const calls = recorded.filter(
      ({ method, legs }) =>
        (method === 'tools/call' || method === 'prompts/get') && legs[0]?.outbound_gateway_name === server,
    )
    assert.ok(calls.length >= 14)
    for (const { legs } of calls) {
      assert.equal(
        legs.map(({ log_type }) => log_type),
        four,
      )
      assert.equal(
        legs.map(({ inbound_server_name }) => inbound_server_name),
        [null, server, server, null],
      )
    }
  }
})

test('rounds, and answers to questions, are on record under the correlation id of their call', async () => {
  for (const server of Object.keys(SERVERS) as ServerName[])
    for (const run of [asLegacy, asModern]) {
      const access = await gateway.mintToken({ gateway: server, host: `${server}-${run.name}` })
      agents[server] = access
      await run(server, ...tool('test_simple_text'))
      await run(server, ...tool('test_input_required_result_multi_round'))
      const messages = (await gateway.recorded(access)).filter(
        ({ method }) => method === 'tools/call' || method === 'notifications/response' || method === null,
      )
      const [plain, first, ...rest] = messages
      assert.is(rest.length, 2, `${server} ${run.name}: two answers, or two more rounds`)
      assert.is.not(plain?.correlationId, first?.correlationId)
      for (const { correlationId } of rest) assert.is(correlationId, first?.correlationId)
      const together = await gateway.recorded(access, { correlationId: first?.correlationId ?? '' })
      assert.equal(
        together.map(({ legs }) => legs[0]?.log_id),
        [first, ...rest].map((message) => message?.legs[0]?.log_id),
      )
    }
})

test.run()
