import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../until.js'
import { startFixture, type FixtureOptions } from './fixture.js'

type Sent = Readonly<Record<string, unknown>>

const INITIALIZE = {
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}
const DISCOVER = {
  method: 'server/discover',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
}

async function answerOf(eras: FixtureOptions['eras'], message: Sent): Promise<{ status: number; text: string }> {
  const fixture = await startFixture({ ...(eras && { eras }) })
  try {
    const isModern = message === DISCOVER
    const response = await fetch(fixture.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(isModern && { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    })
    return { status: response.status, text: await response.text() }
  } finally {
    await fixture.stop()
  }
}

test('speaks both eras unless told otherwise', async () => {
  assert.match((await answerOf(undefined, DISCOVER)).text, /"supportedVersions":\[.*"2026-07-28"/)
  assert.match((await answerOf(undefined, INITIALIZE)).text, /"protocolVersion":"2025-11-25"/)
})

test('with the legacy era alone, knows a modern request as little as an old server does', async () => {
  const { status, text } = await answerOf('legacy', DISCOVER)
  assert.is(status, 400)
  assert.match(text, /"code":-32000/)
})

test('with the modern era alone, refuses to initialize and names what it speaks', async () => {
  const { status, text } = await answerOf('modern', INITIALIZE)
  assert.is(status, 400)
  assert.match(text, /"code":-32022.*"supported":\["2026-07-28"\]/)
})

for (const askOn of ['post', 'get'] as const) {
  test(`asks a legacy client twice in one call, on the stream of the ${askOn}`, async () => {
    const fixture = await startFixture({ eras: 'legacy', askOn })
    const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: { form: {} } } })
    client.setRequestHandler('elicitation/create', ({ params }) => ({
      action: 'accept',
      content: params.message.includes('name') ? { name: 'Ada' } : { color: 'blue' },
    }))
    try {
      let isListening = false
      const watched: typeof fetch = async (url, init) => {
        const response = await fetch(url, init)
        if (init?.method === 'GET') isListening = true
        return response
      }
      await client.connect(new StreamableHTTPClientTransport(new URL(fixture.url), { fetch: watched }))
      // A question on a stream that is not open yet is lost.
      await until('the session has its stream', () => isListening || undefined)
      const result = await client.callTool({ name: 'test_input_required_result_multi_round', arguments: {} })
      assert.equal(result.content, [{ type: 'text', text: 'Ada likes blue' }])
    } finally {
      await client.close()
      await fixture.stop()
    }
  })
}

test.run()
