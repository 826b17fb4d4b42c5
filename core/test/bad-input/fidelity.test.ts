import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, modern, openSession, post, type Answer } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, sendEvent, startStream, yamlOf } from '../fake-upstream.js'
import type { FakeServer, Seen } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

/** What no version of the protocol knows, and what JSON can hold but few expect. */
const ODD = JSON.parse(`{
  "deep": [[[[{"null": null, "empty": {}, "list": []}]]]], "number": [0, -0.5, 1e21, 9007199254740991, 1e-7],
  "text": ["", "☃ \\u2028 \\ud83d\\ude00", "\\u0000", "</script>", "\\\\u0041"], "__proto__": {"polluted": true},
  "constructor": "x", "toString": 1, "": "no name", "a.b": 1, "long": "${'x'.repeat(5_000)}"
}`) as JsonObject
const GIVEN: JsonObject = {
  name: 'act',
  arguments: ODD,
  'x-unknown': ODD,
  _meta: { 'example.com/trace': ODD, plain: 1 },
}
const CONTENT: JsonObject = {
  content: [
    { type: 'hologram', beam: ODD },
    { type: 'text', text: 'plain ☃', annotations: { audience: ['user'], 'x-more': 1 }, 'x-unknown': [1] },
    { type: 'image', data: 'AAAA', mimeType: 'image/png', _meta: { dpi: 72 } },
  ],
  structuredContent: { odd: ODD },
  _meta: { 'example.com/cost': 3.5, plain: ODD },
  'x-unknown': ODD,
}

let servers: { modern: FakeServer; legacy: FakeServer }
let gateway: RunningGateway
let agent: Access
let handle: (seen: Seen) => void = () => undefined
const answerOdd = (era: 'modern' | 'legacy') => (seen: Seen) =>
  answerJson(seen, { result: era === 'modern' ? { ...CONTENT, resultType: 'complete' } : CONTENT })

test.before(async () => {
  servers = {
    modern: await fakeUpstream((seen) => handle(seen), { era: 'modern' }),
    legacy: await fakeUpstream((seen) => handle(seen), { era: 'legacy', tools: ['act'] }),
  }
  gateway = await startGateway({ yaml: yamlOf({ modern: servers.modern, legacy: servers.legacy }) })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await servers.modern.stop()
  await servers.legacy.stop()
})

type Send = (access: Access, message: JsonObject) => Promise<Answer>
const PAIRS = (['modern', 'legacy'] as const).flatMap((server) =>
  ([modern, legacy] as const).map((send) => ({ server, send: send as Send, client: send.name })),
)
const shownAt = (server: 'modern' | 'legacy') => (server === 'modern' ? 'act' : 'legacy__act')

for (const { server, send, client } of PAIRS) {
  test(`nothing that nobody knows is lost between a ${client} client and a ${server} server`, async () => {
    handle = answerOdd(server)
    const { status, json } = await send(agent, { method: 'tools/call', params: { ...GIVEN, name: shownAt(server) } })
    assert.is(status, 200)
    const { resultType, ...result } = json.result as JsonObject
    assert.is(resultType, client === 'modern' ? 'complete' : undefined)
    assert.is(JSON.stringify(result), JSON.stringify(CONTENT))

    const seen = params(callsOf(servers[server]).at(-1) as Seen)
    const { _meta, ...rest } = seen
    assert.is(JSON.stringify(rest), JSON.stringify({ name: 'act', arguments: ODD, 'x-unknown': ODD }))
    const ours = Object.entries(_meta as JsonObject).filter(([key]) => !key.startsWith('io.modelcontextprotocol/'))
    assert.is(JSON.stringify(Object.fromEntries(ours)), JSON.stringify(GIVEN._meta))
    assert.not('polluted' in {})
  })

  test(`an error of a ${server} server comes to a ${client} client as it was said`, async () => {
    handle = (seen) => answerJson(seen, { error: { code: -32099, message: 'own words ☃', data: ODD } })
    const { json } = await send(agent, call(shownAt(server)))
    assert.equal(json.error, { code: -32099, message: 'own words ☃', data: ODD })
  })

  test(`progress of a ${server} server bears the token of its ${client} client, and comes before the answer`, async () => {
    for (const token of ['own-token', 0, '']) {
      handle = (seen) => {
        const mine = (params(seen)._meta as JsonObject).progressToken as string
        startStream(seen)
        for (const progress of [1, 2])
          sendEvent(seen, {
            method: 'notifications/progress',
            params: { progressToken: mine, progress, total: 2, 'x-unknown': ODD },
          })
        sendEvent(seen, { id: seen.body['id'], result: { content: [], resultType: 'complete' } })
        seen.res.end()
      }
      const wanted = { name: shownAt(server), arguments: {}, _meta: { progressToken: token } }
      const { notes, json } = await send(agent, { method: 'tools/call', params: wanted })
      assert.equal(
        notes.map(({ method, params: told }) => [method, told.progressToken, told.progress, told['x-unknown']]),
        [1, 2].map((progress) => ['notifications/progress', token, progress, ODD]),
      )
      assert.equal(json.result.content, [])
    }
  })

  test(`a ${client} client that hangs up takes its call back from a ${server} server`, async () => {
    let taken: Seen | undefined
    let closed = false
    handle = (seen) => {
      taken = seen
      startStream(seen)
      seen.res.once('close', () => (closed = true))
    }
    const gone = new AbortController()
    const options = { signal: gone.signal }
    const hung = (client === 'modern' ? modern : legacy)(agent, call(shownAt(server)), options).catch(() => 'gone')
    const { body } = await until('the server has the call', () => taken)
    gone.abort()
    assert.is(await hung, 'gone')
    await until('the server hears of it', () => {
      const told = servers[server].seen.some(
        (one) =>
          one.body['method'] === 'notifications/cancelled' &&
          (one.body['params'] as JsonObject).requestId === body['id'],
      )
      // The modern era takes a call back by closing its stream, the legacy one by saying so.
      return (server === 'modern' ? closed : told) || undefined
    })
    const { legs } = (await gateway.recorded(agent)).at(-1) ?? { legs: [] }
    assert.is(legs.at(-1)?.error, 'GH_UPSTREAM_CANCELLED')
  })
}

test('a number that JavaScript cannot hold is not changed in silence', async () => {
  let sent = ''
  handle = ({ body, res, text: received }) => {
    sent = received
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(
      `{"jsonrpc":"2.0","id":${body['id']},"result":{"resultType":"complete","content":[],"n":12345678901234567890}}`,
    )
  }
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act","arguments":{"n":12345678901234567890}}}`
  const answer = await post(agent, text)
  assert.match(answer.text, /"n":12345678901234567890[,}]/)
  assert.match(sent, /"n":12345678901234567890[,}]/)
})

test('a legacy session sees notes of its own calls alone', async () => {
  const [one, other] = await Promise.all([openSession(agent), openSession(agent)])
  handle = (seen) => {
    const token = (params(seen)._meta as JsonObject).progressToken as string
    startStream(seen)
    sendEvent(seen, { method: 'notifications/progress', params: { progressToken: token, progress: 1 } })
    sendEvent(seen, { id: seen.body['id'], result: { content: [], resultType: 'complete' } })
    seen.res.end()
  }
  const asked = (session: string) =>
    legacy(
      agent,
      { method: 'tools/call', params: { name: 'act', arguments: {}, _meta: { progressToken: 'same' } } },
      { session },
    )
  for (const { notes } of await Promise.all([asked(one), asked(other)])) assert.is(notes.length, 1)
})

test.run()
