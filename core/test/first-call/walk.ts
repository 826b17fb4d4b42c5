import * as assert from 'uvu/assert'
import type { Access, Recorded } from '../gateway.js'
import type { House } from './house.js'

/** What every client can do, whatever it calls it. */
export interface ClientUnderTest {
  tools(): Promise<readonly string[]>
  prompts(): Promise<readonly string[]>
  resources(): Promise<readonly string[]>
  /** Each answers the result as JSON. */
  call(tool: string, given: Record<string, string>): Promise<string>
  read(uri: string): Promise<string>
  prompt(name: string): Promise<string>
  close(): Promise<void>
}

interface Step {
  readonly method: 'tools/call' | 'resources/read' | 'prompts/get'
  /** As the client calls it, and as the server does. */
  readonly shown: string
  readonly own: string
  readonly server: string
  readonly given?: Record<string, string>
  readonly says: RegExp
}

const DOCUMENT = 'demo://resource/static/document/architecture.md'

const steps = ({ servers }: House): readonly Step[] => [
  { ...tool('echo', 'everything'), given: { message: 'by command' }, says: /Echo: by command/ },
  { ...tool('echo', 'everything-http', 'web__echo'), given: { message: 'by HTTP' }, says: /Echo: by HTTP/ },
  { ...tool('read_text_file', 'files'), given: { path: `${servers.folder}/hello.txt` }, says: /Hello from a file/ },
  { ...tool('read_graph', 'memory'), says: /entities/ },
  { ...tool('search_docs', 'docs'), given: { query: 'configuration' }, says: /configuration\.md/ },
  { method: 'resources/read', shown: DOCUMENT, own: DOCUMENT, server: 'everything', says: /Architecture/ },
  { method: 'resources/read', shown: `gh+web+${DOCUMENT}`, own: DOCUMENT, server: 'everything-http', says: /gh\+web/ },
  { method: 'prompts/get', shown: 'simple-prompt', own: 'simple-prompt', server: 'everything', says: /simple prompt/ },
  {
    method: 'prompts/get',
    shown: 'web__simple-prompt',
    own: 'simple-prompt',
    server: 'everything-http',
    says: /simple prompt/,
  },
]

const tool = (own: string, server: string, shown = own) => ({ method: 'tools/call' as const, own, shown, server })

/** Lists, calls, reads and gets of every server what it has, and looks the record over. */
export async function walkThrough(house: House, access: Access, client: ClientUnderTest): Promise<void> {
  const plan = steps(house)
  const [tools, prompts, resources] = [await client.tools(), await client.prompts(), await client.resources()]
  const shown = { 'tools/call': tools, 'prompts/get': prompts, 'resources/read': resources }
  for (const step of plan) assert.ok(shown[step.method].includes(step.shown), `${step.shown} is listed`)
  for (const step of plan) assert.match(await carryOut(client, step), step.says)
  await client.close()

  const recorded = await house.gateway.recorded(access)
  const carried = recorded.filter(({ method }) => plan.some((step) => step.method === method))
  assert.is(carried.length, plan.length, 'each message is on record, once')
  plan.forEach((step, n) => assertFourLegs(carried[n], { ...step, host: access.host, gateway: 'house' }))
}

function carryOut(client: ClientUnderTest, { method, shown, given = {} }: Step): Promise<string> {
  switch (method) {
    case 'tools/call':
      return client.call(shown, given)
    case 'resources/read':
      return client.read(shown)
    case 'prompts/get':
      return client.prompt(shown)
  }
}

export interface Expected {
  readonly method: string
  /** The server's own name of the feature. */
  readonly own: string
  readonly server: string
  readonly host: string
  readonly gateway: string
}

const KINDS: Readonly<Record<string, string>> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
}

/** In, out to the server, back from it, out: each with its size, each of the same message. */
export function assertFourLegs(message: Recorded | undefined, expected: Expected): void {
  assert.ok(message, `${expected.own} of ${expected.server} is on record`)
  const { legs } = message
  assert.equal(
    legs.map((leg) => [leg.log_type, leg.inbound_server_name]),
    [
      ['proxy_request_success', null],
      ['mcp_request_success', expected.server],
      ['mcp_response_success', expected.server],
      ['proxy_response_success', null],
    ],
  )
  assert.equal(
    legs.map((leg) => leg.log_id),
    [1, 2, 3, 4].map((n) => `${message.correlationId}-${n}`),
  )
  const [, , answered, done] = legs
  for (const leg of legs) {
    assert.is(leg.correlation_id, message.correlationId)
    assert.is(leg.method, expected.method)
    assert.is(leg.feature_name, expected.own)
    assert.is(leg.feature_type, KINDS[expected.method])
    assert.is(leg.host_name, expected.host)
    assert.is(leg.outbound_gateway_name, expected.gateway)
    assert.is(leg.user_email, 'operator@localhost')
    assert.is(leg.level, 'info')
    assert.ok((leg.bytes ?? 0) > 0, `${leg.log_type} has a size`)
  }
  for (const leg of [answered, done]) assert.ok(leg !== undefined && (leg.duration_ms ?? -1) >= 0, 'took its time')
  assert.ok((done?.duration_ms ?? 0) >= (answered?.duration_ms ?? 0), 'the whole is no shorter than its part')
  assert.is(done?.http_status_code, 200)
}
