// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startFixture, type Fixture } from '../conformance/fixture.js'
import { legacyFake, modernFake, DISCOVERY } from '../../upstream/testing.js'
import { answerJson, callsOf, params, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { ALL, legacyClient, modernClient, type Answer, type Message, type ModernRequest } from './clients.js'

/**
 * What passes between clients that can be asked and servers of both eras: with conversations, lanes and parked calls in
 * between, everything must arrive as it was sent, but for the fields that only one era has.
 */
const ODD = JSON.parse(`{
  "deep": [[[[{"null": null, "empty": {}, "list": []}]]]], "number": [0, -0.5, 1e21, 9007199254740991, 1e-7],
  "text": ["", "☃ \\u2028 \\ud83d\\ude00", "\\u0000", "</script>", "\\\\u0041"], "__proto__": {"polluted": true},
  "constructor": "x", "toString": 1, "": "no name", "a.b": 1
}`) as JsonObject
const BIG = 'x☃'.repeat(256 * 1024)
const RESULTS: Readonly<Record<string, JsonObject>> = {
  odd: {
    content: [
      { type: 'hologram', beam: ODD },
      { type: 'text', text: 'plain ☃', annotations: { audience: ['user'], 'x-more': 1 }, 'x-unknown': [1] },
      { type: 'resource_link', uri: 'file:///a', name: 'a', 'x-unknown': 1 },
      {
        type: 'resource',
        resource: { uri: 'ui://app/main', mimeType: 'text/html;profile=mcp-app', text: '<p>', _meta: { ui: {} } },
      },
    ],
    structuredContent: { odd: ODD },
    _meta: { 'example.com/cost': 3.5, plain: ODD },
    'x-unknown': ODD,
  },
  big: { content: [{ type: 'text', text: BIG }] },
  binary: { content: [{ type: 'image', data: Buffer.alloc(700_000, 7).toString('base64'), mimeType: 'image/png' }] },
  error: { content: [{ type: 'text', text: 'no' }], isError: true },
  none: {},
}
const TOOLS = [
  ...Object.keys(RESULTS).map((name) => ({ name, inputSchema: { type: 'object' } })),
  { name: 'list', inputSchema: { type: 'object' } },
  { name: 'fails', inputSchema: { type: 'object' } },
  {
    name: 'app',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $defs: { a: { type: 'string' } },
      type: 'object',
      'x-unknown': 1,
    },
    outputSchema: { type: 'object', properties: { a: {} } },
    annotations: { readOnlyHint: true, 'x-unknown': ODD },
    icons: [{ src: 'https://a.example/i.png', 'x-unknown': 1 }],
    _meta: {
      ui: { resourceUri: 'ui://app/main', 'x-unknown': 1 },
      'ui/resourceUri': 'ui://app/main',
      'example.com/x': ODD,
    },
    'x-unknown': ODD,
  },
]
const OWN_ERROR = { code: -32099, message: 'own words ☃', data: ODD }
const MODERN = { resultType: 'complete' }

function answerCall(seen: Seen, more: JsonObject): void {
  const { name } = params(seen) as { name: string }
  if (name === 'fails') return answerJson(seen, { error: OWN_ERROR })
  if (name === 'list') return answerJson(seen, { result: { ...more, content: [], structuredContent: [1, ODD] } })
  answerJson(seen, { result: { ...RESULTS[name], ...more } })
}

const handle = (more: JsonObject) => (seen: Seen) => {
  const { verb, body } = seen
  if (body['method'] === 'tools/list') answerJson(seen, { result: { tools: TOOLS, ...more } })
  else if (body['method'] === 'tools/call') answerCall(seen, more)
  else if (body['method'] === 'subscriptions/listen') answerJson(seen, { error: { code: -32601, message: 'no' } })
  else if (verb === 'POST' && 'id' in body) answerJson(seen, { result: more })
  else if (verb === 'POST') seen.res.writeHead(202).end()
}

let raw: Record<'modern' | 'legacy', FakeServer>
let fixtures: Record<'modern' | 'legacy', Fixture>
let gateway: RunningGateway
const agents: Record<string, Access> = {}
const ERAS = ['modern', 'legacy'] as const

test.before(async () => {
  raw = {
    modern: await modernFake(handle(MODERN), { ...DISCOVERY, capabilities: { tools: {} } }),
    legacy: await legacyFake(handle({})),
  }
  fixtures = { modern: await startFixture({ eras: 'modern' }), legacy: await startFixture({ eras: 'legacy' }) }
  const entries = ERAS.flatMap((era) => [
    [`raw-${era}`, raw[era].url],
    [`fixture-${era}`, fixtures[era].url],
  ])
  gateway = await startGateway({
    yaml: `version: 1
servers:
${entries.map(([name, url]) => `  ${name}: { url: "${url}" }`).join('\n')}
gateways:
${entries.map(([name]) => `  ${name}: { servers: [{ server: ${name} }] }`).join('\n')}
`,
  })
  for (const [name = ''] of entries) agents[name] = await gateway.mintToken({ gateway: name, host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await Promise.all([...Object.values(raw), ...Object.values(fixtures)].map(({ stop }) => stop()))
})

type Send = (method: string, given?: JsonObject, options?: ModernRequest) => Promise<Answer>

/** Runs with a client of each era that can be asked everything. */
async function withClients(
  server: string,
  work: (send: Send, era: 'modern' | 'legacy') => Promise<void>,
): Promise<void> {
  const access = agents[server] as Access
  await work(modernClient(access, { capabilities: ALL }).request, 'modern')
  const client = await legacyClient(access, { capabilities: ALL })
  const send: Send = (method, given, { token, ...options } = {}) =>
    client.request(
      method,
      token === undefined ? given : { ...given, _meta: { ...(given?._meta as JsonObject), progressToken: token } },
      options,
    )
  await work(send, 'legacy')
  await client.end()
  client.close()
}

/** A result without what the modern era has alone. */
function bare(result: Message): Message {
  const { resultType: _, ttlMs: __, cacheScope: ___, ...rest } = result
  return rest
}

for (const server of ERAS) {
  test(`every kind of content comes from ${server} servers as it was sent, and unknown fields with it`, async () => {
    await withClients(`raw-${server}`, async (send, era) => {
      for (const [name, sent] of Object.entries(RESULTS)) {
        const { json, status } = await send('tools/call', { name, arguments: {} })
        assert.is(status, 200)
        assert.is(json.result.resultType, era === 'modern' ? 'complete' : undefined)
        assert.ok(JSON.stringify(bare(json.result)) === JSON.stringify(sent), `${name} to ${era}`)
      }
    })
  })

  test(`arguments, unknown params and _meta reach ${server} servers as they were sent`, async () => {
    await withClients(`raw-${server}`, async (send) => {
      const given = {
        name: 'none',
        arguments: { odd: ODD, big: BIG },
        'x-unknown': ODD,
        _meta: { 'example.com/trace': ODD, plain: 1 },
      }
      await send('tools/call', given)
      const { _meta, ...rest } = params(callsOf(raw[server]).at(-1) as Seen)
      const { _meta: sent, ...others } = given
      assert.ok(JSON.stringify(rest) === JSON.stringify(others))
      const ours = Object.entries(_meta as JsonObject).filter(
        ([key]) => !/^io\.modelcontextprotocol\/|^progressToken$/.test(key),
      )
      assert.is(JSON.stringify(Object.fromEntries(ours)), JSON.stringify(sent))
      assert.not('polluted' in {})
    })
  })

  test(`an error of ${server} servers comes in their own words`, async () => {
    await withClients(`raw-${server}`, async (send) => {
      assert.equal((await send('tools/call', { name: 'fails', arguments: {} })).json.error, OWN_ERROR)
    })
  })

  test(`tools of ${server} servers are listed with all that they have, in their own order`, async () => {
    await withClients(`raw-${server}`, async (send) => {
      const { tools } = (await send('tools/list')).json.result
      assert.is(JSON.stringify(tools), JSON.stringify(TOOLS))
    })
  })

  test(`structured content that is a list comes from ${server} servers to each era as it may have it`, async () => {
    await withClients(`raw-${server}`, async (send, era) => {
      const { result } = (await send('tools/call', { name: 'list', arguments: {} })).json
      if (server === 'modern' && era === 'legacy')
        assert.equal(bare(result), { content: [{ type: 'text', text: JSON.stringify([1, ODD]) }] })
      else assert.equal(bare(result), { content: [], structuredContent: [1, ODD] })
    })
  })

  test(`prompts, resources, templates and completions of ${server} servers answer as they would without us`, async () => {
    await withClients(`fixture-${server}`, async (send) => {
      const result = async (method: string, given: JsonObject) => bare((await send(method, given)).json.result)
      assert.equal(
        (await result('prompts/get', { name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } }))
          .messages,
        [{ role: 'user', content: { type: 'text', text: "Prompt with arguments: arg1='a', arg2='b'" } }],
      )
      const embedded = await result('prompts/get', {
        name: 'test_prompt_with_embedded_resource',
        arguments: { resourceUri: 'test://x' },
      })
      assert.is(embedded.messages[0].content.resource.uri, 'test://x')
      const read = async (uri: string) => (await result('resources/read', { uri })).contents[0]
      assert.is((await read('test://static-text')).text, 'This is the content of the static text resource.')
      assert.ok(((await read('test://static-binary')).blob as string).length > 10)
      assert.equal(JSON.parse((await read('test://template/123/data')).text), {
        id: '123',
        templateTest: true,
        data: 'Data for ID: 123',
      })
      const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' }
      const { completion } = await result('completion/complete', { ref, argument: { name: 'arg1', value: 'testV' } })
      assert.equal(completion.values, ['testValue1', 'testValue2'])
      assert.ok((await send('resources/templates/list')).json.result.resourceTemplates.length > 0)
    })
  })

  test(`a resource that ${server} servers do not have is unknown to each era in its own way`, async () => {
    await withClients(`fixture-${server}`, async (send, era) => {
      const { json } = await send('resources/read', { uri: 'test://template-less/none' })
      // The package says "invalid params" on the legacy era too, which the revisions of that era do not.
      assert.is(json.error.code, era === 'legacy' ? -32002 : -32602)
      assert.is(json.error.data.uri, 'test://template-less/none')
    })
  })

  test(`progress of ${server} servers comes before the answer, in order, under any token`, async () => {
    await withClients(`fixture-${server}`, async (send) => {
      for (const token of ['progress-test-1', 0, '', -7]) {
        const { before, json } = await send('tools/call', { name: 'test_tool_with_progress', arguments: {} }, { token })
        assert.equal(
          before.map(({ method, params: told }) => [method, told.progressToken, told.progress, told.total]),
          [0, 50, 100].map((value) => ['notifications/progress', token, value, 100]),
        )
        assert.is(json.result.content[0].text, 'Tool with progress executed successfully')
      }
      const { before } = await send('tools/call', { name: 'test_tool_with_progress', arguments: {} })
      assert.equal(before, [], 'and none without one')
    })
  })

  test(`the log of ${server} servers is heard from the level on that was asked for`, async () => {
    const heard = ({ before }: Answer) => before.map(({ params: told }) => told.data)
    const all = ['Tool execution started', 'Tool processing data', 'Tool execution completed']
    const given = { name: 'test_tool_with_logging', arguments: {} }
    const access = agents[`fixture-${server}`] as Access
    const modern = modernClient(access, { capabilities: ALL })
    for (const [logLevel, wanted] of [
      [undefined, []],
      ['error', []],
      ['info', all],
      ['debug', all],
      ['warning', []],
    ] as const)
      assert.equal(
        heard(await modern.request('tools/call', given, logLevel === undefined ? {} : { logLevel })),
        wanted,
        logLevel,
      )
    const legacy = await legacyClient(access, { capabilities: ALL })
    for (const [level, wanted] of [
      ['debug', all],
      ['error', []],
      ['info', all],
    ] as const) {
      assert.equal((await legacy.request('logging/setLevel', { level })).json.result, {})
      assert.equal(heard(await legacy.request('tools/call', given)), wanted, level)
    }
    await legacy.end()
    legacy.close()
  })

  test(`a client that can be asked and hangs up ends its call at ${server} servers`, async () => {
    await withClients(`raw-${server}`, async (send) => {
      const gone = new AbortController()
      gone.abort()
      assert.is(
        await send('tools/call', { name: 'none', arguments: {} }, { signal: gone.signal }).catch(() => 'gone'),
        'gone',
      )
      assert.is((await send('tools/call', { name: 'none', arguments: {} })).status, 200)
    })
  })
}

test('that a client shows apps is told to servers of both eras, and nothing that nobody here knows', async () => {
  const apps = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } }
  const capabilities = { ...ALL, extensions: { ...apps, 'com.example/own': {} }, experimental: { x: {} } }
  for (const era of ERAS) {
    const access = agents[`raw-${era}`] as Access
    const client = await legacyClient(access, { capabilities })
    await client.request('tools/call', { name: 'none', arguments: {} })
    await client.end()
    client.close()
    await modernClient(access, { capabilities }).call('none')
    const told = raw[era].seen.flatMap(({ body }) => {
      const sent = (body['params'] ?? {}) as Message
      const declared = sent.capabilities ?? sent._meta?.['io.modelcontextprotocol/clientCapabilities']
      return declared?.extensions === undefined ? [] : [declared]
    })
    assert.ok(told.length > 0)
    for (const declared of told) {
      assert.equal(declared.extensions, apps)
      assert.equal(Object.keys(declared).toSorted(), ['elicitation', 'extensions', 'roots', 'sampling'])
    }
  }
})

test('a header that a tool wants is checked for a modern client, and made for its server whoever calls', async () => {
  const given = { name: 'test_header_param', arguments: { region: 'eu ☃' } }
  await withClients('fixture-modern', async (send, era) => {
    const encoded = `=?base64?${Buffer.from('eu ☃').toString('base64')}?=`
    const right = await send('tools/call', given, { headers: { 'mcp-param-region': encoded } })
    assert.is(right.json.result?.content[0].text, 'Region: eu ☃', era)
    if (era === 'legacy') return
    for (const headers of [{}, { 'mcp-param-region': 'us' }] as const) {
      const wrong = await send('tools/call', given, { headers })
      assert.equal([wrong.status, wrong.json.error.code], [400, -32020])
    }
  })
})

test.run()
