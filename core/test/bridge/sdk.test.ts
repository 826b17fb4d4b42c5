// time-limit: 180
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as FirstTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MODERN_VERSION } from '../../mcp/versions.js'
import { startFixture, type Fixture } from '../conformance/fixture.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { agreed, type Message } from './clients.js'

/** The official clients of both generations, as their users use them, before servers that ask in every way. */
const SERVERS = {
  modern: { eras: 'modern' },
  post: { eras: 'legacy', askOn: 'post' },
  get: { eras: 'legacy', askOn: 'get' },
} as const
type ServerName = keyof typeof SERVERS

let fixtures: Record<ServerName, Fixture>
let gateway: RunningGateway

test.before(async () => {
  const started = await Promise.all(Object.entries(SERVERS).map(async ([name, how]) => [name, await startFixture(how)]))
  fixtures = Object.fromEntries(started) as Record<ServerName, Fixture>
  const names = Object.keys(SERVERS) as ServerName[]
  gateway = await startGateway({
    yaml: `version: 1
servers:
${names.map((name) => `  ${name}: { url: "${fixtures[name].url}" }`).join('\n')}
gateways:
${names.map((name) => `  ${name}: { servers: [{ server: ${name} }] }`).join('\n')}
`,
  })
})
test.after(async () => {
  await gateway.stop()
  await Promise.all(Object.values(fixtures).map(({ stop }) => stop()))
})

interface Connected {
  call(
    name: string,
    given?: Record<string, unknown>,
    onprogress?: (progress: { progress: number }) => void,
  ): Promise<Message>
  readonly asked: readonly string[]
  close(): Promise<void>
}

const CAPABILITIES = { sampling: {}, elicitation: { form: {} }, roots: {} }
const wire = ({ url, token }: Access) =>
  [new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }] as const

async function first(access: Access): Promise<Connected> {
  const asked: string[] = []
  const client = new FirstClient({ name: 'sdk-1', version: '1.0.0' }, { capabilities: CAPABILITIES })
  const answer = ({ method, params }: Message) => (asked.push(method), agreed(method, params) as Message)
  client.setRequestHandler(ElicitRequestSchema, answer)
  client.setRequestHandler(CreateMessageRequestSchema, answer)
  client.setRequestHandler(ListRootsRequestSchema, answer)
  await client.connect(new FirstTransport(...wire(access)) as Transport)
  return {
    asked,
    call: (name, given = {}, onprogress) =>
      client.callTool({ name, arguments: given }, undefined, onprogress === undefined ? {} : { onprogress }),
    close: () => client.close(),
  }
}

const second =
  (mode: 'legacy' | { pin: string }) =>
  async (access: Access): Promise<Connected> => {
    const asked: string[] = []
    const client = new ModernClient(
      { name: 'sdk-2', version: '2.0.0' },
      { capabilities: CAPABILITIES, versionNegotiation: { mode } },
    )
    const answer = ({ method, params }: Message) => (asked.push(method), agreed(method, params) as Message)
    client.setRequestHandler('elicitation/create', answer)
    client.setRequestHandler('sampling/createMessage', answer)
    client.setRequestHandler('roots/list', answer)
    await client.connect(new ModernTransport(...wire(access)))
    return {
      asked,
      call: (name, given = {}, onprogress) =>
        client.callTool({ name, arguments: given }, onprogress === undefined ? {} : { onprogress }),
      close: () => client.close(),
    }
  }

const CLIENTS = {
  'the first official client': first,
  'the second official client in the legacy era': second('legacy'),
  'the second official client in the modern era': second({ pin: MODERN_VERSION }),
}
const textOf = ({ content }: Message): string => content[0].text
let agents = 0

for (const [who, connect] of Object.entries(CLIENTS))
  for (const server of Object.keys(SERVERS) as ServerName[])
    test(`${who} is asked everything by a server that asks by ${server}`, async () => {
      const access = await gateway.mintToken({ gateway: server, host: `agent-${(agents += 1)}` })
      const client = await connect(access)
      try {
        assert.is(
          textOf(await client.call('test_elicitation', { message: 'Who?' })),
          'User response: action=accept, content={"username":"ada","email":"ada@example.com"}',
        )
        assert.is(textOf(await client.call('test_sampling', { prompt: 'hi' })), 'LLM response: to: hi')
        const three = await client.call('test_input_required_result_multiple_inputs')
        assert.is(textOf(three), 'to: Write a greeting. Ada (1 roots)')
        assert.is(textOf(await client.call('test_input_required_result_multi_round')), 'Ada likes blue')
        assert.is(client.asked.length, 7)
        const seen: number[] = []
        await client.call('test_tool_with_progress', {}, ({ progress }) => void seen.push(progress))
        assert.equal(seen.slice(-1), [100])
        const many = await Promise.all(
          ['a', 'b', 'c'].map((prompt) => client.call('test_sampling', { prompt }).then(textOf)),
        )
        assert.equal(
          many,
          ['a', 'b', 'c'].map((prompt) => `LLM response: to: ${prompt}`),
        )
      } finally {
        await client.close()
      }
    })

test.run()
